"""Pictures and files in a request: about how many tokens they are, and the text without them."""

import binascii
import re
from collections import Counter
from typing import Final, NamedTuple

MEDIA_TOKENS: Final = 1_600
"""For an image: what Anthropic's largest has (docs.claude.com/en/docs/build-with-claude/vision)."""

PAGE_TOKENS: Final = 3_000
"""The most of a PDF's page, of its text alone (docs.claude.com/.../pdf-support: 1,500 to 3,000)."""

DOCUMENT_TOKENS: Final = 10 * PAGE_TOKENS
"""For a document that is only named, by its address or as a file: ten pages."""

PDF_BYTES: Final = 20
"""Of a document for a token, pictures in it and compression taken together: a guess."""

SOUND_BYTES: Final = 500
"""Of sound and film for a token: 10 a second of compressed sound are more bytes than that."""

_IMAGES: Final = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8")
_SOUNDS: Final = (b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2", b"OggS", b"fLaC")
# Each begins with what hardly any text has: so they take a microsecond for each kilobyte.
_BLOB: Final = re.compile(
    rb'"(?:data|url|image_url|file_data)"\s*:\s*"(?:data:[^",]{0,80},)?'
    rb'([A-Za-z0-9+/\\]{2000,}={0,2})(?=")'
)
_TYPE: Final = re.compile(
    rb'"type"\s*:\s*"(image|image_url|input_image|document|input_file|content)"'
)
_FILE: Final = re.compile(rb'"file"\s*:\s*\{')
_PLAIN: Final = re.compile(rb'"media_type"\s*:\s*"text/plain"')
_PICTURES: Final = (b"image", b"image_url", b"input_image")
_DOCUMENTS: Final = (b"document", b"input_file")
_WRITTEN_OUT: Final = b"content"
"""A document whose text stands in the request, as it does where its type is plain text."""

_HEAD: Final = 32


class Parts(NamedTuple):
    """A body without what is known as media, and about how many tokens that is."""

    text: bytes
    media_tokens: int


class _Found(NamedTuple):
    tokens: int
    is_picture: bool


def parts_of(body: bytes) -> Parts:
    """Take a body apart. Its names are those of JSON, without escapes (`unescaped`)."""
    pictures, documents, inline = 0, 0, 0
    pieces, end = list[bytes](), 0
    for blob in _BLOB.finditer(body):
        found = _found(blob[1])
        if found is None:
            continue
        pieces.append(body[end : blob.start(1)])
        end = blob.end(1)
        pictures += found.is_picture
        documents += not found.is_picture
        inline += 0 if found.is_picture else found.tokens
    text = b"".join([*pieces, body[end:]]) if pieces else body
    types = Counter(_TYPE.findall(text))
    pictures = max(pictures, sum(types[each] for each in _PICTURES))
    named = sum(types[each] for each in _DOCUMENTS) + len(_FILE.findall(text)) - documents
    if named > 0:
        named -= types[_WRITTEN_OUT] + len(_PLAIN.findall(text))
    return Parts(text, inline + pictures * MEDIA_TOKENS + max(0, named) * DOCUMENT_TOKENS)


def _found(blob: bytes) -> _Found | None:
    """What a text in base64 is by its first bytes; `None` where it is no media that is known: then
    it may be text, each byte of which is billed."""
    head = blob[:_HEAD].replace(b"\\", b"")[:16]
    try:
        start = binascii.a2b_base64(head)
    except binascii.Error:
        return None
    size = len(blob) * 3 // 4
    if start.startswith(_IMAGES) or start[8:12] == b"WEBP":
        return _Found(MEDIA_TOKENS, is_picture=True)
    if start.startswith((b"%PDF", b"PK\x03\x04")):
        return _Found(max(PAGE_TOKENS, size // PDF_BYTES), is_picture=False)
    if start.startswith(_SOUNDS) or start[8:12] == b"WAVE" or start[4:8] == b"ftyp":
        return _Found(max(MEDIA_TOKENS, size // SOUND_BYTES), is_picture=False)
    return None
