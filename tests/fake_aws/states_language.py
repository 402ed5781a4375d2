"""moto's parsers of the Amazon States Language, cached: parsing takes most of a run's time."""

import functools

from jsonpath_ng.ext.parser import parse as parse_json_path
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.asl.parse.preprocessor import Preprocessor

_parse = AmazonStateLanguageParser.parse
_trees: dict[str, object] = {}

parse_path = functools.cache(parse_json_path)


def parse(definition: str) -> tuple[object, object]:
    """Parse a definition. The program is new, as a run may change it; its syntax tree is shared."""
    if definition not in _trees:
        program, tree = _parse(definition)
        _trees[definition] = tree
        return program, tree
    tree = _trees[definition]
    return Preprocessor().visit(tree), tree
