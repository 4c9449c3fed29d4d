# Finds Vega, the JavaScript library that draws a report's charts: VITRINE_VEGA_JS is the folder of its files, either Debian's
# libjs-vega (a file a module) or vega.min.js and vega-interpreter.min.js, as Vega itself publishes them.
find_path(VITRINE_VEGA_JS vega-interpreter.min.js PATH_SUFFIXES share/javascript/vega
  DOC "Folder with vega-interpreter.min.js and the rest of Vega")
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Vega REQUIRED_VARS VITRINE_VEGA_JS)

set(Vega_FILES ${VITRINE_VEGA_JS}/vega.min.js ${VITRINE_VEGA_JS}/vega-interpreter.min.js)
if(NOT EXISTS ${VITRINE_VEGA_JS}/vega.min.js)
  # What the charts need; without maps, trees, networks and word clouds.
  set(Vega_FILES)
  foreach(module util canvas time format loader dataflow scale scenegraph expression event-selector selection statistics
      functions runtime parser view transforms view-transforms encode interpreter)
    list(APPEND Vega_FILES ${VITRINE_VEGA_JS}/vega-${module}.min.js)
  endforeach()
endif()
