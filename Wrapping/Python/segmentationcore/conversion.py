"""Conversion rules of the data model: the four that are built in, and rules written in Python.

A ``vtkSegmentation`` clones the rules that are registered when it is made, so register first.
"""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_STANDARD_RULES = (
    "vtkBinaryLabelmapToClosedSurfaceConversionRule",
    "vtkClosedSurfaceToBinaryLabelmapConversionRule",
    "vtkClosedSurfaceToFractionalLabelmapConversionRule",
    "vtkFractionalLabelmapToClosedSurfaceConversionRule",
)


def _factory() -> Any:
    from ._compiled import find_class

    return find_class("vtkSegmentationConverterFactory").GetInstance()


def register_conversion_rules() -> int:
    """Register the four built-in conversion rules.

    Binary labelmap to closed surface and back, closed surface to fractional labelmap and back. A
    rule of which the class is registered already is left out, so that calling this twice, or in
    Slicer, where the application registers them, does no harm.

    Returns
    -------
    int
        The number of rules that were added.

    Examples
    --------
    >>> from segmentationcore import register_conversion_rules
    >>> _ = register_conversion_rules()
    >>> register_conversion_rules()
    0
    """
    factory = _factory()
    if hasattr(factory, "RegisterStandardConversionRules"):
        return int(factory.RegisterStandardConversionRules())
    from ._compiled import find_class

    registered = {rule.GetClassName() for rule in factory.GetConverterRules()}
    missing = [name for name in _STANDARD_RULES if name not in registered]
    for name in missing:
        factory.RegisterConverterRule(find_class(name)())
    return len(missing)


def register_conversion_rule(
    source: str,
    target: str,
    convert: Callable[[Any, Any, dict[str, str]], Any],
    *,
    name: str = "",
    cost: int = 100,
    parameters: Mapping[str, tuple[str, str]] | None = None,
    source_class: str = "",
    target_class: str = "",
) -> Any:
    """Register a conversion rule that is a Python function.

    Parameters
    ----------
    source, target
        Names of the representations, for example ``"Binary labelmap"``.
    convert
        Called as ``convert(data, segment, parameters)`` for every segment: the source
        representation, the ``vtkSegment`` and the parameters' values by name. Returns the target
        representation, a new ``vtkDataObject``. It must not change ``data``. An exception makes the
        conversion fail: its text is logged, and no segment changes.
    name
        What the rule is called; ``"<source> to <target>"`` by default.
    cost
        By which paths are compared; about milliseconds.
    parameters
        Default value and description of each parameter, by name.
    source_class, target_class
        Classes of the data objects; by default ``vtkOrientedImageData`` for labelmaps and
        ``vtkPolyData`` for everything else.

    Returns
    -------
    vtkCallbackConversionRule
        The rule; ``UnregisterConverterRule`` of the factory takes it out again.

    Raises
    ------
    TypeError
        ``convert`` cannot be called.
    ValueError
        A representation without a name, source and target the same, or an unknown class.
    RuntimeError
        Slicer's own data model is loaded in this process, to which only rules in C++ can be added.
    """
    from vtkmodules.vtkCommonCore import VTK_OBJECT

    from ._compiled import data_model_provider, find_class

    if not callable(convert):
        raise TypeError(f"convert must be a function, not {type(convert).__name__}")
    if not source or not target or source == target:
        raise ValueError(
            f"source {source!r} and target {target!r} must be the names of two representations"
        )
    provider = data_model_provider()
    if provider.name == "slicer":
        raise RuntimeError(f"a rule in Python needs our own data model: {provider.reason}")
    rule = find_class("vtkCallbackConversionRule")()
    rule.SetName(name or f"{source} to {target}")
    rule.SetSourceRepresentationName(source)
    rule.SetTargetRepresentationName(target)
    rule.SetConversionCost(cost)
    for parameter, (value, description) in (parameters or {}).items():
        rule.SetConversionParameter(parameter, value, description)
    _set_class(rule.SetSourceClassName, "source_class", source_class)
    _set_class(rule.SetTargetClassName, "target_class", target_class)

    def work(_caller: Any, _event: Any, at_work: Any) -> None:
        try:
            segment = at_work.GetSegment()
            listed = find_class("vtkSegmentationConversionParameters")()
            at_work.GetRuleConversionParameters(listed)
            values = {
                listed.GetName(i): listed.GetValue(i) for i in range(listed.GetNumberOfParameters())
            }
            made = convert(segment.GetRepresentation(source), segment, values)
            if made is None or not made.IsA("vtkDataObject"):
                at_work.Fail(f"convert returned {made!r}; a vtkDataObject is needed")
                return
            segment.AddRepresentation(target, made)
            at_work.Succeed()
        except Exception:  # whatever the function raises is the reason of the failure
            at_work.Fail(traceback.format_exc())

    work.CallDataType = VTK_OBJECT  # type: ignore[attr-defined]  # how VTK is told what to pass
    rule.AddObserver(rule.ConvertEvent, work)
    _factory().RegisterConverterRule(rule)
    return rule


def _set_class(setter: Any, argument: str, class_name: str) -> None:
    from vtkmodules.vtkCommonDataModel import vtkDataObjectTypes

    if class_name in ("", "vtkOrientedImageData"):
        known = True
    else:
        known = vtkDataObjectTypes.NewDataObject(class_name) is not None
    if not known:
        raise ValueError(f"{argument}: {class_name!r} is no data object class of VTK")
    setter(class_name)
