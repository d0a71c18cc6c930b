"""The ``rocksdb`` backend: keyed state on the local disk, with a bounded cache of objects in front of it."""
