# Finds libtorch and defines vitrine_torch, the one target that carries its headers and libraries.
set(kineto_LIBRARY c10 CACHE STRING "c10 stands in for the optional profiler, whose absence would be warned of")
find_package(Torch 2.6 REQUIRED)
separate_arguments(torch_flags UNIX_COMMAND "${TORCH_CXX_FLAGS}")

add_library(vitrine_torch INTERFACE)
target_include_directories(vitrine_torch SYSTEM INTERFACE ${TORCH_INCLUDE_DIRS})
target_compile_options(vitrine_torch INTERFACE ${torch_flags})
# torch brings the headers of an fmt of its own, in front of the system's, without a library to link.
target_compile_definitions(vitrine_torch INTERFACE VITRINE_TORCH_VERSION="${Torch_VERSION}" FMT_HEADER_ONLY)
target_link_libraries(vitrine_torch INTERFACE ${TORCH_LIBRARIES})
