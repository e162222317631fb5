"""Widgets of the SegmentationCore effects in Slicer."""
