"""The Slicer side: what a bridge serves, shown by Slicer's own classes.

===============  =================================================================================
`mrml`           keeps a ``vtkMRMLSegmentationNode`` equal to what a bridge serves
`panel`          the rows of the effects' panel, and running an effect on Slicer's images
`nodes`          effects on segmentation and markups nodes; statistics into a table node
`views`          Slicer's slice and 3D views, off screen, to pictures
`demo_session`   the script that ``make demo`` runs as a second process
===============  =================================================================================

Runs inside Slicer or with the ``slicer-core`` wheel. Only Slicer's classes are used for data: one
process must not hold two data models with the same class names. Nothing here is compiled.
"""
