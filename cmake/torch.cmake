# Finds libtorch and defines vitrine_torch, the one target that carries its headers and libraries.
# Nothing here is CUDA source, so its own TorchConfig.cmake, which asks for a CUDA toolkit where it was built for CUDA, is not run:
# what a CPU computes with is linked, and what a GPU does is loaded where there is one (framework/training/devices.cpp).
set(oldest_torch 2.6)
find_path(Torch_DIR TorchConfig.cmake HINTS ${CMAKE_PREFIX_PATH} ENV Torch_DIR ENV CMAKE_PREFIX_PATH
  PATH_SUFFIXES Torch share/cmake/Torch libtorch/share/cmake/Torch torch/share/cmake/Torch REQUIRED
  DOC "Folder of libtorch's TorchConfig.cmake")
if(NOT EXISTS ${Torch_DIR}/TorchConfig.cmake)
  message(FATAL_ERROR "Torch_DIR=${Torch_DIR}: no TorchConfig.cmake of a libtorch is there")
endif()
# This sets PACKAGE_VERSION.
include(${Torch_DIR}/TorchConfigVersion.cmake)
set(torch_version ${PACKAGE_VERSION})
if(PACKAGE_VERSION VERSION_LESS oldest_torch)
  message(FATAL_ERROR "libtorch ${PACKAGE_VERSION} in ${Torch_DIR}: ${oldest_torch} or later is needed")
endif()
# Before 2.7 some wheels were built for the older of the two ABIs of the standard library.
file(STRINGS ${Torch_DIR}/TorchConfig.cmake torch_flags REGEX "set\\(TORCH_CXX_FLAGS ")
string(REGEX MATCH "-D_GLIBCXX_USE_CXX11_ABI=[01]" torch_flags "${torch_flags}")

get_filename_component(torch_prefix ${Torch_DIR}/../../.. ABSOLUTE)
foreach(name torch_cpu c10)
  find_library(VITRINE_${name} ${name} PATHS ${torch_prefix} PATH_SUFFIXES lib lib64 lib/${CMAKE_LIBRARY_ARCHITECTURE}
    NO_DEFAULT_PATH NO_CACHE REQUIRED)
endforeach()
get_filename_component(torch_libraries ${VITRINE_torch_cpu} DIRECTORY)

add_library(vitrine_torch INTERFACE)
# torch brings the headers of an fmt of its own, without the library, and puts them in front of the system's: every
# source would compile all of fmt for 4 s.
get_target_property(fmt_headers fmt::fmt INTERFACE_INCLUDE_DIRECTORIES)
find_path(fmt_folder fmt/format.h PATHS ${fmt_headers} NO_DEFAULT_PATH NO_CACHE REQUIRED)
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/include)
file(CREATE_LINK ${fmt_folder}/fmt ${PROJECT_BINARY_DIR}/include/fmt SYMBOLIC)
target_include_directories(vitrine_torch SYSTEM INTERFACE ${PROJECT_BINARY_DIR}/include
  ${torch_prefix}/include ${torch_prefix}/include/torch/csrc/api/include)
target_compile_options(vitrine_torch INTERFACE ${torch_flags})
target_compile_definitions(vitrine_torch INTERFACE VITRINE_TORCH_VERSION="${PACKAGE_VERSION}")
target_link_libraries(vitrine_torch INTERFACE ${VITRINE_torch_cpu} ${VITRINE_c10})
