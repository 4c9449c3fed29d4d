# Finds libtorch and defines vitrine_torch, the one target that carries its headers and libraries.
set(kineto_LIBRARY c10 CACHE STRING "c10 stands in for the optional profiler, whose absence would be warned of")
find_package(Torch 2.6 REQUIRED)
separate_arguments(torch_flags UNIX_COMMAND "${TORCH_CXX_FLAGS}")

add_library(vitrine_torch INTERFACE)
# torch brings the headers of an fmt of its own, without the library, and puts them in front of the system's: every
# source would compile all of fmt for 4 s.
get_target_property(fmt_headers fmt::fmt INTERFACE_INCLUDE_DIRECTORIES)
find_path(fmt_folder fmt/format.h PATHS ${fmt_headers} NO_DEFAULT_PATH NO_CACHE REQUIRED)
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/include)
file(CREATE_LINK ${fmt_folder}/fmt ${PROJECT_BINARY_DIR}/include/fmt SYMBOLIC)
target_include_directories(vitrine_torch SYSTEM INTERFACE ${PROJECT_BINARY_DIR}/include ${TORCH_INCLUDE_DIRS})
target_compile_options(vitrine_torch INTERFACE ${torch_flags})
target_compile_definitions(vitrine_torch INTERFACE VITRINE_TORCH_VERSION="${Torch_VERSION}")
target_link_libraries(vitrine_torch INTERFACE ${TORCH_LIBRARIES})
