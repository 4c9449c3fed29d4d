# cmake --install FOLDER --prefix P, and packages of the same. The program finds its libraries by where it lies itself:
#   bin/runner   lib/vitrine/ (libraries, cmake/)   include/vitrine/   share/vitrine/ (configs/, docs/)
# A build can be used in the same way, as find_package(Vitrine) finds it in FOLDER/cmake.
include(CMakePackageConfigHelpers)
set(generated ${PROJECT_BINARY_DIR}/generated/install)
configure_file(cmake/VitrineInstalled.cmake.in ${generated}/VitrineInstalled.cmake @ONLY)
file(CONFIGURE OUTPUT ${generated}/VitrineConfig.cmake @ONLY CONTENT
  "include(\${CMAKE_CURRENT_LIST_DIR}/VitrinePlugin.cmake)\n")
write_basic_package_version_file(${generated}/VitrineConfigVersion.cmake COMPATIBILITY SameMinorVersion)
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/cmake/VitrineConfig.cmake @ONLY CONTENT
  "set(VITRINE_BUILD \"@PROJECT_BINARY_DIR@\" CACHE PATH \"Build folder of Vitrine\")
include(\"@PROJECT_SOURCE_DIR@/cmake/VitrinePlugin.cmake\")\n")
file(COPY ${generated}/VitrineConfigVersion.cmake DESTINATION ${PROJECT_BINARY_DIR}/cmake)

# In a sweep's own copy of the program all lies beside it.
set_target_properties(runner PROPERTIES
  INSTALL_RPATH "$ORIGIN;$ORIGIN/deps;$ORIGIN/../lib/vitrine;$ORIGIN/../lib/vitrine/deps")
set_target_properties(vitrine_core vitrine_engine PROPERTIES INSTALL_RPATH "$ORIGIN;$ORIGIN/deps;${torch_libraries}")
set_target_properties(vitrine_predict PROPERTIES INSTALL_RPATH "$ORIGIN;$ORIGIN/deps")
# A build has the same path: CMake would fill up a shorter one with colons, between which is the current folder.
set_target_properties(runner vitrine_core vitrine_engine vitrine_predict PROPERTIES BUILD_WITH_INSTALL_RPATH ON)
install(TARGETS runner RUNTIME DESTINATION bin)
install(TARGETS vitrine_core vitrine_engine vitrine_predict LIBRARY DESTINATION lib/vitrine)
if(TARGET vitrine_mpi)  # MPI itself is the machine's
  set_target_properties(vitrine_mpi PROPERTIES BUILD_WITH_INSTALL_RPATH ON INSTALL_RPATH "$ORIGIN")
  install(TARGETS vitrine_mpi LIBRARY DESTINATION lib/vitrine)
endif()
install(FILES ${completion_words} DESTINATION lib/vitrine OPTIONAL)
file(GLOB scripts cmake/VitrinePlugin.cmake cmake/code_version.cmake cmake/public_headers.cmake cmake/torch.cmake
  cmake/twins.cmake)
install(FILES ${scripts} ${generated}/VitrineInstalled.cmake ${generated}/VitrineConfig.cmake ${generated}/VitrineConfigVersion.cmake
  DESTINATION lib/vitrine/cmake)
install(DIRECTORY framework DESTINATION include/vitrine FILES_MATCHING PATTERN *.h
  REGEX "framework/(checking|cli|comparing|reports|sweeps)$" EXCLUDE)
foreach(room models experiments)  # those that stand directly in it
  file(GLOB headers CONFIGURE_DEPENDS ${room}/*.h)
  install(FILES ${headers} DESTINATION include/vitrine/${room})
endforeach()
install(DIRECTORY configs docs DESTINATION share/vitrine)
install(FILES README.md CHANGELOG.md CONTRIBUTING.md SECURITY.md DESTINATION share/vitrine)

# Packages: build/release and cpack. What is in them knows no place of this machine (cmake/package.cmake).
set(CPACK_GENERATOR TGZ DEB)
set(CPACK_PACKAGE_NAME vitrine)
set(CPACK_PACKAGE_VENDOR "Vitrine's authors")
set(CPACK_PACKAGE_CONTACT "Vitrine's authors")
if(EXISTS ${PROJECT_SOURCE_DIR}/LICENSE)
  set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
  install(FILES LICENSE DESTINATION share/vitrine)
endif()
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Experiments in C++ on libtorch, driven by YAML configs and plug-ins")
set(CPACK_PACKAGE_FILE_NAME vitrine-${PROJECT_VERSION}-linux-${CMAKE_SYSTEM_PROCESSOR})
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR}/packages)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "Needs libtorch ${torch_version}, which is no package: pip install torch==${torch_version}.")
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${PROJECT_BINARY_DIR} ${torch_libraries})
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "python3-venv, fonts-dejavu-core, ca-certificates")
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  set(compiler_package g++)
else()
  set(compiler_package clang)
endif()
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "cmake, make, libfmt-dev, nlohmann-json3-dev, libhwy-dev, ${compiler_package}")
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/cmake/package.cmake)
get_target_property(json_headers nlohmann_json::nlohmann_json INTERFACE_INCLUDE_DIRECTORIES)
list(GET json_headers 0 CPACK_VITRINE_JSON_HEADERS)
set(CPACK_VITRINE_FMT_HEADERS ${fmt_folder})
set(CPACK_VITRINE_TORCH_LIBRARIES ${torch_libraries})
set(CPACK_VITRINE_TORCH_DIR ${Torch_DIR})
include(CPack)
