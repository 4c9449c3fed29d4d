# vitrine_infer: models are run by it without libtorch, registry and YAML. It shares the kernel's objects with the engine, and has the
# few sources of the core that it needs compiled again, so that nothing but the functions of vitrine_infer.h is seen from outside.
file(GLOB infer_files CONFIGURE_DEPENDS framework/infer/*.cpp)
set(infer_core framework/denormals.cpp framework/draws.cpp framework/error.cpp framework/memory.cpp framework/control_groups.cpp
  framework/files/descriptor.cpp framework/files/file.cpp framework/files/json.cpp framework/files/place.cpp
  framework/files/safetensors.cpp framework/files/sealed.cpp framework/files/sha256.cpp)
add_library(vitrine_infer SHARED ${infer_files} ${infer_core})
set_target_properties(vitrine_infer PROPERTIES UNITY_BUILD OFF VERSION ${PROJECT_VERSION} SOVERSION 0)
target_compile_definitions(vitrine_infer PRIVATE VITRINE_VERSION="${PROJECT_VERSION}")
target_compile_options(vitrine_infer PRIVATE -ffunction-sections -fdata-sections)
target_include_directories(vitrine_infer INTERFACE framework/infer/include PRIVATE framework/infer/include)
# Of OpenSSL it needs SHA-256 alone: loading all of the library takes longer than everything else until the first answer.
find_library(VITRINE_CRYPTO_ARCHIVE libcrypto.a)
if(VITRINE_CRYPTO_ARCHIVE)
  set(crypto ${VITRINE_CRYPTO_ARCHIVE})
else()
  set(crypto OpenSSL::Crypto)
endif()
target_link_libraries(vitrine_infer PRIVATE vitrine_kernel fmt::fmt-header-only nlohmann_json::nlohmann_json ${crypto} hwy::hwy
  Threads::Threads)
file(WRITE ${PROJECT_BINARY_DIR}/generated/infer.map "{ global: vitrine_*; local: *; };\n")
target_link_options(vitrine_infer PRIVATE LINKER:--version-script=${PROJECT_BINARY_DIR}/generated/infer.map LINKER:--gc-sections
  LINKER:--no-undefined LINKER:--as-needed)

# Installed: lib/libvitrine_infer.so, include/vitrine_infer.h and .hpp, find_package(VitrineInfer), pkg-config's vitrine-infer, and the
# Python module in share/vitrine/python. An archive has the libraries that it needs in lib/vitrine/deps.
set_target_properties(vitrine_infer PROPERTIES BUILD_WITH_INSTALL_RPATH ON INSTALL_RPATH "$ORIGIN;$ORIGIN/vitrine/deps")
target_link_options(vitrine_infer PRIVATE $<$<CONFIG:Release>:LINKER:--strip-all>)
install(TARGETS vitrine_infer LIBRARY DESTINATION lib)
install(FILES framework/infer/include/vitrine_infer.h framework/infer/include/vitrine_infer.hpp DESTINATION include)
install(FILES python/vitrine_infer.py python/pyproject.toml DESTINATION share/vitrine/python)
set(generated ${PROJECT_BINARY_DIR}/generated/infer)
file(CONFIGURE OUTPUT ${generated}/VitrineInferConfig.cmake @ONLY CONTENT [[
# Vitrine::infer, the library that runs models.
get_filename_component(vitrine_infer_prefix ${CMAKE_CURRENT_LIST_DIR} REALPATH)  # /lib may be a link to /usr/lib
get_filename_component(vitrine_infer_prefix ${vitrine_infer_prefix}/../../.. ABSOLUTE)
if(NOT TARGET Vitrine::infer)
  add_library(Vitrine::infer SHARED IMPORTED)
  set_target_properties(Vitrine::infer PROPERTIES
    IMPORTED_LOCATION ${vitrine_infer_prefix}/lib/libvitrine_infer.so.@PROJECT_VERSION@
    IMPORTED_SONAME libvitrine_infer.so.0
    INTERFACE_INCLUDE_DIRECTORIES ${vitrine_infer_prefix}/include)
endif()
]])
file(CONFIGURE OUTPUT ${generated}/vitrine-infer.pc @ONLY CONTENT [[
prefix=${pcfiledir}/../..

Name: vitrine-infer
Description: Runs models that Vitrine trained
Version: @PROJECT_VERSION@
Cflags: -I${prefix}/include
Libs: -L${prefix}/lib -lvitrine_infer
]])
include(CMakePackageConfigHelpers)
write_basic_package_version_file(${generated}/VitrineInferConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${generated}/VitrineInferConfig.cmake ${generated}/VitrineInferConfigVersion.cmake DESTINATION lib/cmake/VitrineInfer)
install(FILES ${generated}/vitrine-infer.pc DESTINATION lib/pkgconfig)
