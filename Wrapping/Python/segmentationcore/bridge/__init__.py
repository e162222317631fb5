"""The bridge: a running segmentation, served to Slicer and to scripts over a local socket.

======================  ==========================================================================
`protocol`              the messages and everything that is refused
`transport`             small interface for moving bytes; websockets behind it
`token`                 the bearer token file
`backend`               what a server needs from whoever holds the segmentation
`server`                `BridgeServer`: clients on one thread, the backend on another
`paraview_backend`      the backend on a ParaView client with our plugin; needs ParaView
`client`                `BridgeClient`: synchronous, pure Python
`command`               the command line ``segmentationcore bridge``
======================  ==========================================================================

Read ``docs/bridge.md`` first; in code, `protocol`. Nothing here needs a compiled part of ours.
Import from the modules; importing the package alone loads none of them.
"""
