# Builds the plugin in ParaViewPlugin/ from the modules; included by the root for the ParaView product.
include_guard(GLOBAL)

paraview_plugin_scan(
  PLUGIN_FILES "${PROJECT_SOURCE_DIR}/ParaViewPlugin/paraview.plugin"
  PROVIDES_PLUGINS _plugins
  ENABLE_BY_DEFAULT ON
  HIDE_PLUGINS_FROM_CACHE ON)
paraview_plugin_build(
  PLUGINS ${_plugins}
  AUTOLOAD ${_plugins}
  RUNTIME_DESTINATION "${CMAKE_INSTALL_BINDIR}"
  LIBRARY_DESTINATION "${CMAKE_INSTALL_LIBDIR}"
  LIBRARY_SUBDIRECTORY "${PARAVIEW_PLUGIN_SUBDIR}")
