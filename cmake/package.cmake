# Run by cpack on what is to be packed: takes out where libtorch was on this machine, and puts into an archive the libraries and
# headers that a system lacks which has libtorch alone. A package of Debian names them as what it depends on.
file(GLOB_RECURSE engine ${CPACK_TEMPORARY_DIRECTORY}/*/libvitrine_engine.so)
get_filename_component(libraries ${engine} DIRECTORY)
get_filename_component(prefix ${libraries}/../.. ABSOLUTE)

set(own $ORIGIN:$ORIGIN/deps)
foreach(name core engine)
  file(RPATH_CHANGE FILE ${libraries}/libvitrine_${name}.so OLD_RPATH ${own}:${CPACK_VITRINE_TORCH_LIBRARIES} NEW_RPATH ${own})
endforeach()
file(READ ${libraries}/cmake/VitrineInstalled.cmake text)
string(REPLACE "${CPACK_VITRINE_TORCH_DIR}" "" text "${text}")
file(WRITE ${libraries}/cmake/VitrineInstalled.cmake "${text}")
if(NOT CPACK_GENERATOR STREQUAL TGZ)
  return()
endif()

# All but libtorch and what comes with the C library and the compiler, of which no system may have two.
file(GET_RUNTIME_DEPENDENCIES EXECUTABLES ${prefix}/bin/runner
  LIBRARIES ${libraries}/libvitrine_core.so ${libraries}/libvitrine_engine.so ${libraries}/libvitrine_predict.so ${prefix}/lib/libvitrine_infer.so
  DIRECTORIES ${libraries}
  PRE_EXCLUDE_REGEXES "^lib(torch|c10)" "^libvitrine_" "^ld-linux" "^lib(c|m|mvec|dl|rt|pthread|resolv|util|gcc_s|stdc\\+\\+)\\.so"
  RESOLVED_DEPENDENCIES_VAR found)
file(MAKE_DIRECTORY ${libraries}/deps)
foreach(library IN LISTS found)
  get_filename_component(name ${library} NAME)
  get_filename_component(file ${library} REALPATH)
  execute_process(COMMAND cp ${file} ${libraries}/deps/${name} COMMAND_ERROR_IS_FATAL ANY)
  # Their licences.
  string(REGEX REPLACE "^/usr/" "/" merged ${file})
  execute_process(COMMAND dpkg-query --search ${file} ${merged} OUTPUT_VARIABLE package ERROR_QUIET)
  string(REGEX MATCH "^[^:,]+" package "${package}")
  if(package AND EXISTS /usr/share/doc/${package}/copyright)
    get_filename_component(copyright /usr/share/doc/${package}/copyright REALPATH)
    execute_process(COMMAND install -D -m 644 ${copyright} ${prefix}/share/vitrine/licenses/${package} COMMAND_ERROR_IS_FATAL ANY)
  endif()
endforeach()
file(COPY ${CPACK_VITRINE_FMT_HEADERS}/fmt ${CPACK_VITRINE_JSON_HEADERS}/nlohmann DESTINATION ${prefix}/include/vitrine/deps)
