"""Reads the file out of a form that was sent (``multipart/form-data``, RFC 7578)."""

import re
from email.message import Message

from penstock.errors import ProgramError


def uploaded_file(content_type: str, body: bytes) -> tuple[str, bytes]:
    r"""The name and the content of the first file in a form.

    >>> form = b'--b\r\nContent-Disposition: form-data; name="jarfile"; filename="a.py"\r\n\r\nprint(1)\r\n--b--\r\n'
    >>> uploaded_file("multipart/form-data; boundary=b", form)
    ('a.py', b'print(1)')

    :raises ProgramError: where there is none.
    """
    header = Message()
    header["content-type"] = content_type
    boundary = header.get_param("boundary")
    if header.get_content_type() != "multipart/form-data" or not isinstance(boundary, str) or not boundary:
        raise ProgramError('a program is uploaded as a form: curl -F "jarfile=@program.py" ...')
    try:
        between = b"\r\n--" + boundary.encode("ascii")
    except UnicodeEncodeError as error:
        raise ProgramError(f"the boundary of the form is not ASCII: {boundary!r}") from error
    for part in (b"\r\n" + body).split(between)[1:-1]:
        head, found, content = part.partition(b"\r\n\r\n")
        name = re.search(rb'filename="([^"\r\n]*)"', head)
        if found and name:
            return name[1].decode("utf-8", "replace"), content
    raise ProgramError('there is no file in the form: curl -F "jarfile=@program.py" ...')
