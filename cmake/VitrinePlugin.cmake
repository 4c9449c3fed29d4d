# vitrine_add_plugin(NAME SOURCE...) builds NAME.so, a library of components that runner loads.
# docs/plugins.md shows a whole project. In short:
#   find_package(Vitrine REQUIRED)
#   project(my_parts LANGUAGES CXX)
#   vitrine_add_plugin(my_parts my_mlp.cpp)
# The plug-in is built against an installed Vitrine, or against a finished build in a repository: where this file is included from
# there, build/release unless VITRINE_BUILD names another. It is built by Vitrine's compiler, where this comes before project(),
# and optimised unless CMAKE_BUILD_TYPE says otherwise.
include_guard(GLOBAL)
set(VITRINE_INCLUDE ${CMAKE_CURRENT_LIST_DIR}/..)  # of headers
set(VITRINE_CMAKE ${CMAKE_CURRENT_LIST_DIR})
if(EXISTS ${VITRINE_CMAKE}/VitrineInstalled.cmake)
  include(${VITRINE_CMAKE}/VitrineInstalled.cmake)
elseif(NOT TARGET vitrine_core)
  get_filename_component(VITRINE_SOURCE ${VITRINE_CMAKE}/.. ABSOLUTE)
  set(VITRINE_BUILD ${VITRINE_SOURCE}/build/release CACHE PATH "Build folder of Vitrine")
  if(NOT EXISTS ${VITRINE_BUILD}/libvitrine_engine.so)
    message(FATAL_ERROR "No build of Vitrine in ${VITRINE_BUILD}: run ${VITRINE_SOURCE}/runner --help "
      "once, or name another build with -DVITRINE_BUILD=FOLDER")
  endif()
  load_cache(${VITRINE_BUILD} READ_WITH_PREFIX vitrine_ CMAKE_CXX_COMPILER Torch_DIR)
  set(VITRINE_LIBRARIES ${VITRINE_BUILD})
endif()
get_filename_component(VITRINE_INCLUDE ${VITRINE_INCLUDE} ABSOLUTE)
include(${VITRINE_CMAKE}/code_version.cmake)

if(vitrine_CMAKE_CXX_COMPILER AND NOT DEFINED CMAKE_CXX_COMPILER AND NOT DEFINED ENV{CXX})
  set(CMAKE_CXX_COMPILER ${vitrine_CMAKE_CXX_COMPILER} CACHE FILEPATH "Compiler of Vitrine's build")
endif()
if(VITRINE_LIBRARIES AND NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug, Release, RelWithDebInfo or MinSizeRel" FORCE)
endif()

# The libraries of a finished build, as targets with the names that they have inside it.
macro(vitrine_import_build)
  if(NOT CMAKE_CXX_COMPILER STREQUAL vitrine_CMAKE_CXX_COMPILER AND
      NOT vitrine_compiler STREQUAL "${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}")
    message(WARNING "Vitrine was built by ${vitrine_CMAKE_CXX_COMPILER} ${vitrine_compiler}, and its runner refuses plug-ins of another compiler or "
      "version: find Vitrine before project(), or configure with -DCMAKE_CXX_COMPILER=${vitrine_CMAKE_CXX_COMPILER}")
  endif()
  if(COMMAND vitrine_find_libraries)  # of an installed one
    vitrine_find_libraries()
  else()
    set(Torch_DIR ${vitrine_Torch_DIR} CACHE PATH "libtorch of Vitrine's build" FORCE)
    find_package(fmt REQUIRED)
    find_package(nlohmann_json REQUIRED)
  endif()
  find_package(Threads REQUIRED)
  include(${VITRINE_CMAKE}/torch.cmake)

  foreach(name core engine)
    add_library(vitrine_${name} SHARED IMPORTED)
    set_target_properties(vitrine_${name} PROPERTIES
      IMPORTED_LOCATION ${VITRINE_LIBRARIES}/libvitrine_${name}.so)
    target_include_directories(vitrine_${name} INTERFACE ${VITRINE_INCLUDE})
    target_compile_options(vitrine_${name} INTERFACE -Wno-psabi)
  endforeach()
  target_link_libraries(vitrine_core INTERFACE fmt::fmt nlohmann_json::nlohmann_json)
  target_link_libraries(vitrine_engine INTERFACE vitrine_core vitrine_torch)
endmacro()

function(vitrine_add_plugin name)
  if(NOT TARGET vitrine_core)
    vitrine_import_build()
  endif()
  add_library(${name} MODULE ${ARGN})
  set_target_properties(${name} PROPERTIES PREFIX "" POSITION_INDEPENDENT_CODE ON
    CXX_STANDARD 20 CXX_STANDARD_REQUIRED ON CXX_EXTENSIONS OFF)
  # Messages name files as they lie in the project.
  target_compile_options(${name} PRIVATE -fmacro-prefix-map=${CMAKE_CURRENT_SOURCE_DIR}/=)
  # g++ has the loader share static objects of inline functions and templates between all plug-ins, even where only their names are
  # the same.
  target_compile_options(${name} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fno-gnu-unique>)
  target_link_libraries(${name} PRIVATE vitrine_engine)
  # A component that uses no torch does not ask for it either. A run notes the ids of what it was computed with.
  target_link_options(${name} PRIVATE LINKER:--as-needed LINKER:--build-id=sha1)
  add_custom_command(TARGET ${name} PRE_LINK VERBATIM COMMAND ${CMAKE_COMMAND} -DNAME=${name} -DNM=${CMAKE_NM}
    -DFOLDER=${CMAKE_CURRENT_SOURCE_DIR} "-DOBJECTS=$<JOIN:$<TARGET_OBJECTS:${name}>,|>"
    "-DSOURCES=$<JOIN:$<TARGET_PROPERTY:${name},SOURCES>,|>" -P ${VITRINE_CMAKE}/twins.cmake)
  # And what it was compiled from: whatever sources it has in the end, headers beside them and in its folders of headers.
  vitrine_code_version(${name} plugin "source CMakeLists.txt
source $<JOIN:$<TARGET_PROPERTY:${name},SOURCES>,
source >
folder $<JOIN:$<TARGET_PROPERTY:${name},INCLUDE_DIRECTORIES>,
folder >")
endfunction()
