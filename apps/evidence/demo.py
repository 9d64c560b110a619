"""Drawn photos for the demonstration and the tests: plainly marked as simulated, the same each time they are drawn.

Each carries EXIF as a phone's camera writes it (time, offset, place, make, model). Nothing here touches the database.
"""

from __future__ import annotations

import io
import math
import random
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import cache

from PIL import Image, ImageDraw, ImageFilter, ImageFont

SIZE = (1280, 960)
MAKE, MODEL = "Hai Dang", "Simulated camera 1"
GRAIN = 11

Draw = ImageDraw.ImageDraw
Colour = tuple[int, int, int]


def draw_photo(
    scene: str, number: int, *, taken: datetime, place: tuple[float, float] | None = None
) -> bytes:
    """Draw one photo as JPEG, 1280 × 960, 40 to 120 kB; `number` varies what it shows.

    `scene` is a key of SCENES. `taken` must carry an offset; `place` is latitude and longitude.
    """
    dice = random.Random(f"{scene} {number}")  # noqa: S311  drawing, not secrecy
    image = _background(scene, number % 3).copy()
    SCENES[scene](ImageDraw.Draw(image, "RGBA"), dice, number)
    image.paste(_caption(), (0, SIZE[1] - 84))
    stamp = f"{scene.upper()} {number:06d}   {taken:%Y-%m-%d %H:%M:%S}"
    ImageDraw.Draw(image).text((560, SIZE[1] - 62), stamp, font=_font(34), fill=(240, 240, 240))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=78, exif=_exif(taken, place))
    return out.getvalue()


def scene_of(purpose: str, number: int) -> str:
    """Choose a scene that fits the purpose of a photo (dictionary: overview, close_up, scale, …)."""
    fitting = _BY_PURPOSE.get(purpose, ("parcel", "suitcase", "container"))
    return fitting[number % len(fitting)]


def _exif(taken: datetime, place: tuple[float, float] | None) -> bytes:
    offset = taken.utcoffset()
    if offset is None:
        raise ValueError("a time without an offset")
    tags = Image.Exif()
    tags[0x010F], tags[0x0110] = MAKE, MODEL
    moment = f"{taken:%Y:%m:%d %H:%M:%S}"
    tags.get_ifd(0x8769).update(
        {0x9003: moment, 0x9004: moment, 0x9011: _zone(offset), 0x9012: _zone(offset)}
    )
    if place:
        latitude, longitude = place
        tags.get_ifd(0x8825).update(
            {
                1: "N" if latitude >= 0 else "S",
                2: _degrees(abs(latitude)),
                3: "E" if longitude >= 0 else "W",
                4: _degrees(abs(longitude)),
            }
        )
    return tags.tobytes()


def _zone(offset: timedelta) -> str:
    minutes = int(offset.total_seconds()) // 60
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def _degrees(value: float) -> tuple[float, float, float]:
    minutes = (value - int(value)) * 60
    return float(int(value)), float(int(minutes)), round((minutes - int(minutes)) * 60, 3)


@cache
def _font(size: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    return ImageFont.load_default(size)


@cache
def _caption() -> Image.Image:
    """Draw the words "ẢNH MÔ PHỎNG"; the font at hand has no Vietnamese marks, so they are drawn on top."""
    plate = Image.new("RGB", (SIZE[0], 84), (150, 20, 20))
    pen, font, at = ImageDraw.Draw(plate), _font(52), 24.0
    for letter in "ẢNH MÔ PHỎNG":
        plain = {"Ả": "A", "Ô": "O", "Ỏ": "O"}.get(letter, letter)
        wide = pen.textlength(plain, font=font)
        pen.text((at, 18), plain, font=font, fill="white")
        middle = at + wide / 2
        if letter in "ẢỎ":
            pen.arc((middle - 6, 5, middle + 6, 17), 180, 90, fill="white", width=4)
            pen.line((middle, 17, middle, 22), fill="white", width=4)
        elif letter == "Ô":
            pen.line((middle - 12, 20, middle, 9, middle + 12, 20), fill="white", width=5)
        at += wide + 2
    return plate


@cache
def _background(scene: str, variant: int) -> Image.Image:
    """Draw the surroundings of a scene once: a shaded surface with the grain of a camera."""
    dice = random.Random(f"background {scene} {variant}")  # noqa: S311  drawing, not secrecy
    low, high = _SHADES.get(scene, ((96, 92, 84), (176, 170, 158)))
    shade = Image.linear_gradient("L").rotate(90 * variant).resize(SIZE)
    surface = Image.composite(Image.new("RGB", SIZE, high), Image.new("RGB", SIZE, low), shade)
    width, height = SIZE[0] // 2, SIZE[1] // 2
    grain = Image.frombytes("L", (width, height), dice.randbytes(width * height)).resize(SIZE)
    grain = grain.filter(ImageFilter.BoxBlur(2))
    return Image.blend(surface, Image.merge("RGB", (grain, grain, grain)), GRAIN / 100)


def _parcel(pen: Draw, dice: random.Random, number: int) -> None:
    left, top = dice.randint(180, 320), dice.randint(140, 260)
    right, bottom = left + dice.randint(520, 680), top + dice.randint(380, 480)
    brown = (168 + dice.randint(-18, 18), 124, 74)
    pen.polygon(
        [(left, top), (left + 90, top - 90), (right + 90, top - 90), (right, top)], fill=_lighter(brown, 30)
    )
    pen.polygon(
        [(right, top), (right + 90, top - 90), (right + 90, bottom - 90), (right, bottom)],
        fill=_lighter(brown, -40),
    )
    pen.rectangle((left, top, right, bottom), fill=brown)
    middle = (left + right) // 2
    pen.rectangle((middle - 34, top, middle + 34, bottom), fill=(214, 196, 150, 170))
    _label(pen, dice, (left + 40, bottom - 190), f"EE{number:09d}VN")


def _label(pen: Draw, dice: random.Random, at: tuple[int, int], text: str) -> None:
    x, y = at
    pen.rectangle((x, y, x + 300, y + 150), fill=(246, 244, 236))
    bar = x + 16
    while bar < x + 276:
        width = dice.choice((2, 3, 5, 8))
        pen.rectangle((bar, y + 14, bar + width, y + 92), fill=(20, 20, 20))
        bar += width + dice.choice((3, 4, 7))
    pen.text((x + 16, y + 102), text, font=_font(32), fill=(20, 20, 20))


def _scale(pen: Draw, dice: random.Random, number: int) -> None:
    pen.rounded_rectangle((260, 470, 1020, 830), 40, fill=(70, 74, 80))
    pen.rounded_rectangle((300, 420, 980, 480), 20, fill=(188, 192, 198))
    pen.rectangle((420, 580, 860, 740), fill=(148, 180, 120))
    grams = dice.uniform(4, 2400)
    pen.text((470, 604), f"{grams:8.1f} g", font=_font(96), fill=(20, 30, 16))
    shift = dice.randint(-80, 80)
    pen.rounded_rectangle((440 + shift, 250, 840 + shift, 430), 60, fill=(236, 236, 228, 230))
    pen.line((460 + shift, 300, 820 + shift, 300), fill=(180, 180, 172), width=5)
    pen.text((520 + shift, 330), f"A{number % 100:02d}", font=_font(60), fill=(90, 90, 90))


def _xray(pen: Draw, dice: random.Random, _number: int) -> None:
    pen.rounded_rectangle(
        (140, 130, 1140, 810), 60, outline=(60, 110, 170), width=14, fill=(150, 190, 220, 70)
    )
    for _ in range(26):
        x, y = dice.randint(170, 1000), dice.randint(160, 700)
        wide, high = dice.randint(40, 240), dice.randint(30, 160)
        tint = dice.choice(((224, 140, 40, 120), (60, 150, 90, 120), (40, 90, 170, 130)))
        shape = dice.choice((pen.ellipse, pen.rectangle))
        shape((x, y, min(x + wide, 1110), min(y + high, 780)), fill=tint, outline=(*tint[:3], 200))
    x, y = dice.randint(260, 800), dice.randint(240, 560)
    pen.rectangle((x, y, x + 210, y + 120), fill=(190, 90, 20, 210))
    pen.ellipse((x - 60, y - 70, x + 270, y + 190), outline=(220, 20, 20), width=7)


def _seal(pen: Draw, dice: random.Random, number: int) -> None:
    pen.rectangle((120, 560, 1160, 640), fill=(120, 124, 130))
    tint = dice.choice(((30, 90, 180), (190, 40, 40), (230, 170, 20), (30, 130, 70)))
    tilt = dice.randint(-60, 60)
    pen.polygon([(360, 330 + tilt), (920, 330 - tilt), (920, 540 - tilt), (360, 540 + tilt)], fill=tint)
    pen.line((400, 540, 300, 600, 340, 700, 460, 640), fill=tint, width=26)
    pen.text((420, 352), "HAI QUAN", font=_font(60), fill="white")
    pen.text((420, 432), f"HQ {number:07d}", font=_font(76), fill="white")


def _suitcase(pen: Draw, dice: random.Random, _number: int) -> None:
    shell = (dice.randint(30, 90), dice.randint(30, 70), dice.randint(50, 110))
    pen.rounded_rectangle((150, 110, 1130, 800), 70, fill=shell)
    pen.rounded_rectangle((190, 150, 1090, 760), 40, fill=(196, 188, 174))
    for _ in range(14):
        x, y = dice.randint(210, 880), dice.randint(170, 620)
        tint = tuple(dice.randint(60, 220) for _ in range(3))
        pen.rounded_rectangle(
            (x, y, min(x + dice.randint(120, 300), 1070), min(y + dice.randint(60, 170), 740)), 18, fill=tint
        )
    pen.line((190, 455, 1090, 455), fill=(90, 90, 90), width=10)
    x = dice.randint(300, 800)
    pen.rectangle((x, 600, x + 260, 740), fill=(238, 234, 220), outline=(150, 40, 40), width=6)


def _field_test(pen: Draw, dice: random.Random, number: int) -> None:
    pen.rounded_rectangle((180, 220, 1100, 760), 30, fill=(238, 238, 240))
    for place in range(6):
        left = 240 + place * 140
        tint = dice.choice(((120, 30, 120), (220, 120, 30), (40, 60, 160), (210, 200, 120), (60, 130, 80)))
        pen.rounded_rectangle(
            (left, 320, left + 90, 660), 40, fill=(250, 250, 252), outline=(120, 120, 130), width=5
        )
        pen.rounded_rectangle((left + 8, 660 - dice.randint(90, 240), left + 82, 652), 34, fill=tint)
    pen.text((240, 244), f"LOT {number % 9000 + 1000}", font=_font(48), fill=(60, 60, 70))


def _container(pen: Draw, dice: random.Random, number: int) -> None:
    tint = dice.choice(((150, 60, 40), (40, 80, 130), (60, 110, 70), (120, 120, 124)))
    pen.rectangle((160, 90, 1120, 840), fill=tint)
    for x in range(180, 1110, 46):
        pen.rectangle((x, 100, x + 20, 830), fill=_lighter(tint, 24 if x // 46 % 2 else -22))
    for x in (380, 560, 720, 900):
        pen.rectangle((x, 90, x + 16, 840), fill=(200, 200, 200))
    pen.rectangle((690, 140, 1100, 240), fill=tint)
    pen.text((706, 156), f"HDMU {number % 10**6:06d} {number % 9}", font=_font(50), fill="white")


def _document(pen: Draw, dice: random.Random, number: int) -> None:
    tilt = dice.randint(-30, 30)
    pen.polygon([(320, 100 + tilt), (960, 100 - tilt), (980, 840), (300, 840)], fill=(244, 242, 234))
    pen.text((400, 150), f"TO KHAI / DECLARATION {number:08d}", font=_font(34), fill=(40, 40, 40))
    for row in range(16):
        y = 230 + row * 34
        wave = round(6 * math.sin(row))
        pen.line((390, y, 390 + dice.randint(240, 500), y + wave), fill=(70, 70, 90), width=8)
    pen.ellipse((760, 640, 920, 800), outline=(190, 40, 40), width=8)


def _lighter(colour: Colour, by: int) -> Colour:
    red, green, blue = (max(0, min(255, part + by)) for part in colour)
    return red, green, blue


SCENES: Mapping[str, Callable[[Draw, random.Random, int], None]] = {
    "parcel": _parcel,
    "scale": _scale,
    "xray": _xray,
    "seal": _seal,
    "suitcase": _suitcase,
    "field_test": _field_test,
    "container": _container,
    "document": _document,
}
_SHADES: Mapping[str, tuple[Colour, Colour]] = {
    "xray": ((196, 206, 214), (236, 240, 244)),
    "container": ((96, 110, 122), (168, 184, 196)),
    "field_test": ((60, 66, 76), (112, 120, 132)),
}
_BY_PURPOSE: Mapping[str, tuple[str, ...]] = {
    "overview": ("parcel", "suitcase", "container"),
    "close_up": ("field_test", "parcel", "suitcase"),
    "scale": ("scale",),
    "xray": ("xray",),
    "seal": ("seal",),
    "document": ("document",),
}
