"""Where the pages' templates are found, and how they are filled in."""

from jinja2 import Environment, PackageLoader, StrictUndefined


def environment() -> Environment:
    """Every value is escaped, and a name that a template does not know is an error."""
    # Templates' names end in .j2, so the choice by file ending would leave escaping off: it is on for all.
    return Environment(
        loader=PackageLoader("inrlens.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
