"""zstd through the library that pgAnalytics itself uses: Python 3.11 has none of its own, and the command line tool need not be installed."""

import ctypes

_library = ctypes.CDLL("libzstd.so.1")
_library.ZSTD_compressBound.restype = _library.ZSTD_compress.restype = _library.ZSTD_decompress.restype = ctypes.c_size_t
_library.ZSTD_getFrameContentSize.restype = ctypes.c_ulonglong


def compress(data, level=3):
    bound = _library.ZSTD_compressBound(ctypes.c_size_t(len(data)))
    buffer = ctypes.create_string_buffer(bound)
    size = _library.ZSTD_compress(buffer, ctypes.c_size_t(bound), data, ctypes.c_size_t(len(data)), level)
    return buffer.raw[:size]


def expand(data):
    """One frame that says its size, as the collector makes them."""
    said = _library.ZSTD_getFrameContentSize(data, ctypes.c_size_t(len(data)))
    assert said < 1 << 30, "not a zstd frame with a size"
    buffer = ctypes.create_string_buffer(said)
    size = _library.ZSTD_decompress(buffer, ctypes.c_size_t(said), data, ctypes.c_size_t(len(data)))
    assert size == said, "a damaged zstd frame"
    return buffer.raw[:size]
