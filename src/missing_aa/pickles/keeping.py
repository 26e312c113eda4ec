"""Whether what a name stands for, or what a call of it gives, is only kept, handed on or hidden."""

from missing_aa.pickles.joblib_arrays import WRAPPER
from missing_aa.pickles.known_names import LISTED
from missing_aa.pickles.program import Global, Object, Program, class_of
from missing_aa.pickles.uses import Uses, name_of, only_keeps_given, reached, with_others

FUNCTIONS = "torch._C._VariableFunctionsClass"
"""Torch's own functions are attributes of this class, and are pickled so."""


def only_keeps(program: Program, name: str, is_plain, uses: Uses) -> bool:
    """Whether a name is called, and what it gives is kept and no more.

    That is how pickle stores a bound method: by `getattr`. What is kept lies in lists, as a
    dictionary's value or in a state, of an object to which nothing was added later, and nothing is
    added to it. `is_plain(call)` judges what is given to each call.
    """
    if hands_on(program, name):
        return False
    any_taken = False
    for one in with_others(program):
        taken = {made for made in one.objects if name_of(made.made_by) == name}
        if not all(map(is_plain, taken)) or any(m.states or m.items or m.pairs for m in taken):
            return False
        if any(id(made) in uses.touched for made in taken):
            return False
        any_taken = any_taken or bool(taken)
        used: list = []
        for made in one.objects:
            keeps = only_keeps_given(made) and id(made) not in uses.touched
            used += [
                part for part in (made.args, made.kwargs) if not (keeps and _is_functions(part))
            ]
        if taken & {node for node in reached(used) if isinstance(node, Object)}:
            return False
    return any_taken


def _is_functions(given: object) -> bool:
    """Whether a partial is given a function of torch's and no more, as `torch.mean` is pickled."""
    match given:
        case (Object(args=(Global(dotted=owner), str())),):
            return owner == FUNCTIONS
    return False


def hands_on(program: Program, name: str) -> bool:
    """Whether anything that was called or filled was given what is named itself, however deep.

    Keys of dictionaries and ids of what lies outside the pickle count too.
    """
    within = reached([*program.objects, *program.persistent, *program.keys], deep=True)
    return any(isinstance(node, Global) and node.dotted == name for node in within)


def hides_array(program: Program) -> bool:
    """Whether an array's description may be there that the reading did not know as one.

    joblib knows it by the class of the object that gets a state, however it was made: so its name
    may stand nowhere but where such an object is made, each gets one state, and nothing that could
    give it back is given a state.
    """
    wrappers = [made for made in program.objects if name_of(class_of(made)) == WRAPPER]
    if not all(_is_plainly_made(made) for made in wrappers) or hands_on(program, WRAPPER):
        return True
    last = WRAPPER.rpartition(".")[2]
    others = (one for one in program.globals.values() if one.dotted != WRAPPER)
    if any(one.name.rpartition(".")[2] == last for one in others):
        return True
    ids = set(map(id, wrappers))
    calls = [made for made in program.objects if made.states and _may_give_back(made)]
    given = reached([part for made in calls for part in (made.args, made.kwargs)], deep=True)
    return any(id(node) in ids for node in given)


def _is_plainly_made(made: Object) -> bool:
    return (
        name_of(made.made_by) == WRAPPER and made.is_new and not made.args and len(made.states) == 1
    )


def _may_give_back(made: Object) -> bool:
    """Whether Python, numpy or torch brings what is called, and it may give what it is given.

    Of a class of somebody's the code runs, and the verdict says so; a generator gives none.
    """
    maker = made.made_by
    if isinstance(maker, Global) and (
        maker.dotted not in LISTED or maker.dotted.startswith("numpy.random.")
    ):
        return False
    return not isinstance(maker, str)
