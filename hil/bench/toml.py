"""Settings put into the text of a TOML file. Rule: adds and replaces, keeps every other line."""

import json


def changed(text: str, settings: dict[str, dict]) -> str:
    """The text with {"section": {"key": value}} in force; a section it lacks comes at the end."""
    lines = text.splitlines()
    for section, values in settings.items():
        head = f"[{section}]"
        if head not in lines:
            lines += ["", head]
        start = lines.index(head) + 1
        end = _end(lines, start)
        kept = [line for line in lines[start:end] if line.partition("=")[0].strip() not in values]
        # json's words for texts, numbers, yes and no, and lists of them are TOML's too
        fresh = [f"{key} = {json.dumps(value)}" for key, value in values.items()]
        lines[start:end] = fresh + kept
    return "\n".join(lines) + "\n"


def _end(lines: list[str], start: int) -> int:
    for number in range(start, len(lines)):
        if lines[number].startswith("["):
            return number
    return len(lines)
