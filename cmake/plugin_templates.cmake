# Included: vitrine_plugin_templates(TARGET FOLDER) gives the target what `runner plugin new` writes: of each kind, a folder in FOLDER,
# example.cpp and example.yaml, and the files of FOLDER/project. As a script (cmake -P): writes these as the C++ source OUTPUT
# (framework/cli/plugin_new.h).
if(NOT CMAKE_SCRIPT_MODE_FILE)
  set(VITRINE_TEMPLATES_SCRIPT ${CMAKE_CURRENT_LIST_FILE})
  function(vitrine_plugin_templates target folder)
    set(output ${PROJECT_BINARY_DIR}/generated/plugin_templates.cpp)
    file(GLOB files CONFIGURE_DEPENDS ${folder}/*/example.cpp ${folder}/*/example.yaml ${folder}/project/*)
    string(REPLACE ";" "," listed "${files}")
    add_custom_command(OUTPUT ${output}
      COMMAND ${CMAKE_COMMAND} -DOUTPUT=${output} -DFILES=${listed} -P ${VITRINE_TEMPLATES_SCRIPT}
      DEPENDS ${files} ${VITRINE_TEMPLATES_SCRIPT}
      COMMENT "Packing the templates of plug-ins")
    target_sources(${target} PRIVATE ${output})
    set_source_files_properties(${output} PROPERTIES SKIP_PRECOMPILE_HEADERS ON SKIP_UNITY_BUILD_INCLUSION ON)
  endfunction()
  return()
endif()

string(REPLACE "," ";" FILES "${FILES}")
list(SORT FILES)
set(texts "")
foreach(file IN LISTS FILES)
  get_filename_component(name ${file} NAME)
  get_filename_component(folder ${file} DIRECTORY)
  get_filename_component(folder ${folder} NAME)
  file(READ ${file} text)
  string(APPEND texts "      {\"${folder}\", \"${name}\", R\"~text~(${text})~text~\"sv},\n")
endforeach()
file(WRITE ${OUTPUT} "// Made by cmake/plugin_templates.cmake.
#include \"framework/cli/plugin_new.h\"

namespace vitrine {

const std::vector<PluginText>& plugin_texts() {
  using std::literals::operator\"\"sv;
  static const std::vector<PluginText> texts = {
${texts}  };
  return texts;
}

}  // namespace vitrine
")
