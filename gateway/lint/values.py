"""Single values: what each kind of field takes."""

import math
import re

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor

_BASE64 = re.compile(r"(?:[A-Za-z0-9+/_-]{4})*(?:[A-Za-z0-9+/_-]{2,3}={0,2})?")
_INTEGERS = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
}
_DECIMALS = (FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT)


def scalar_problem(field: FieldDescriptor, value: object) -> str:
    """Say what is wrong with a value for a field, empty if nothing."""
    kind = field.cpp_type
    if field.enum_type is not None:
        return "" if enum_name(field.enum_type, value) else _enum_problem(field.enum_type)
    if kind == FieldDescriptor.CPPTYPE_BOOL:
        return "" if str(value).lower() in ("true", "false") else "must be true or false"
    if kind in _INTEGERS:
        low, high = _INTEGERS[kind]
        return "" if _is_integer(value, low, high) else f"must be a whole number {low} to {high}"
    if kind in _DECIMALS:
        return "" if _is_decimal(value) else "must be a number"
    return _text_problem(field, value)


def _text_problem(field: FieldDescriptor, value: object) -> str:
    if not isinstance(value, str):
        return "must be a text; put it in quotes"
    if field.type == FieldDescriptor.TYPE_BYTES and not _is_base64(value):
        return "must be base64"
    return ""


def enum_name(enum: EnumDescriptor, value: object) -> str:
    """Find an enum value by name, in any case, or by number; empty if there is none."""
    for known in enum.values:
        if str(value).upper() == known.name.upper() or value == known.number:
            return str(known.name)
    return ""


def _enum_problem(enum: EnumDescriptor) -> str:
    return f"must be one of {', '.join(value.name for value in enum.values)}"


def _is_integer(value: object, low: int, high: int) -> bool:
    if isinstance(value, bool):
        return False
    try:
        number = float(str(value))
    except ValueError:
        return False
    return math.isfinite(number) and number.is_integer() and low <= int(number) <= high


def _is_decimal(value: object) -> bool:
    if isinstance(value, bool):
        return False
    try:
        float(str(value))
    except ValueError:
        return False
    return True


def _is_base64(text: str) -> bool:
    return _BASE64.fullmatch(text) is not None
