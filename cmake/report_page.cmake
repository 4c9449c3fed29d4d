# Included: vitrine_report_page(TARGET FILE...) gives the target what a report's page is made of: its style, its script, its charts
# and the library Vega, of these files. As a script (cmake -P): writes it as the C++ source OUTPUT.
if(NOT CMAKE_SCRIPT_MODE_FILE)
  set(VITRINE_PAGE_SCRIPT ${CMAKE_CURRENT_LIST_FILE})
  function(vitrine_report_page target)
    set(output ${PROJECT_BINARY_DIR}/generated/report_page.cpp)
    string(REPLACE ";" "," files "${ARGN}")
    add_custom_command(OUTPUT ${output}
      COMMAND ${CMAKE_COMMAND} -DOUTPUT=${output} -DFILES=${files} -P ${VITRINE_PAGE_SCRIPT}
      DEPENDS ${ARGN} ${VITRINE_PAGE_SCRIPT}
      COMMENT "Packing the report's page")
    target_sources(${target} PRIVATE ${output})
    set_source_files_properties(${output} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
  endfunction()
  return()
endif()

set(style "")
set(script "")
set(charts "")
set(vega "const vegaModules = {};\n")
string(REPLACE "," ";" FILES "${FILES}")
foreach(file IN LISTS FILES)
  file(READ ${file} text)
  get_filename_component(name ${file} NAME)
  # Text between these marks would end the script; a map of the source would be asked for by debuggers.
  if(text MATCHES "</script|<!--")
    message(FATAL_ERROR "${file}: has </script or <!-- in it, which a page cannot hold")
  endif()
  string(REGEX REPLACE "//# sourceMappingURL=[^\n]*\n?" "" text "${text}")
  if(name MATCHES "\\.css$")
    string(APPEND style "${text}")
  elseif(name MATCHES "^(vega.*)\\.min\\.js$")
    string(APPEND vega "vegaModules['${CMAKE_MATCH_1}'] = function (exports, module, require) {\n${text}\n};\n")
  elseif(name MATCHES "^(.*)\\.json$")
    string(APPEND charts "${separator}\"${CMAKE_MATCH_1}\": ${text}")
    set(separator ",")
  else()
    string(APPEND script "${text}")
  endif()
endforeach()
set(charts "{${charts}}")
set(source "// Made by cmake/report_page.cmake.\n#include <string_view>\n\nnamespace vitrine {\n\n")
foreach(part style vega script charts)
  # With the suffix, no compiler counts the characters one by one: clang takes 2 s for it.
  string(APPEND source "std::string_view page_${part}();\nstd::string_view page_${part}() {\n"
    "  using std::literals::operator\"\"sv;\n  return R\"~page~(${${part}})~page~\"sv;\n}\n\n")
endforeach()
file(WRITE ${OUTPUT} "${source}}  // namespace vitrine\n")
