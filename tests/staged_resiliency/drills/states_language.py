"""moto's parser of the states language, which takes most of a run's time, called once per text."""

from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.asl.parse.preprocessor import Preprocessor

_parse = AmazonStateLanguageParser.parse
_trees: dict[str, object] = {}


def parse(definition: str) -> tuple[object, object]:
    """What it gives: the program is new, as a run may leave traces in it; its tree is shared."""
    if definition not in _trees:
        program, tree = _parse(definition)
        _trees[definition] = tree
        return program, tree
    tree = _trees[definition]
    return Preprocessor().visit(tree), tree
