"""The names that steps have when the user gave none, and after the user gave one."""

from pyflink.common import Types

SINK = "returned"


def program(env):
    numbers = env.from_collection([1], type_info=Types.INT())
    mapped = numbers.map(lambda x: x, output_type=Types.INT())
    names = [numbers.get_name(), mapped.get_name(), mapped.name("renamed").get_name()]
    names.append(numbers.filter(lambda x: True).get_name())
    names.append(numbers.flat_map(lambda x: [x], output_type=Types.INT()).get_name())
    names.append(numbers.key_by(lambda x: x).reduce(lambda a, b: a).get_name())
    names.append(numbers.key_by(lambda x: x).sum().get_name())
    return names
