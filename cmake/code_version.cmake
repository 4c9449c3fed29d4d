# Included: vitrine_git_version(TARGET) gives the target a header git_version.h, brought up to date before
# each build and touched only when it changes. As a script (cmake -P): writes that header.
if(NOT CMAKE_SCRIPT_MODE_FILE)
  set(VITRINE_GIT_SCRIPT ${CMAKE_CURRENT_LIST_FILE})
  function(vitrine_git_version target)
    set(folder ${PROJECT_BINARY_DIR}/generated)
    add_custom_target(${target}_git_version
      COMMAND ${CMAKE_COMMAND} -DSOURCE=${PROJECT_SOURCE_DIR} -DHEADER=${folder}/git_version.h
        -P ${VITRINE_GIT_SCRIPT}
      BYPRODUCTS ${folder}/git_version.h
      COMMENT "")
    add_dependencies(${target} ${target}_git_version)
    target_include_directories(${target} PRIVATE ${folder})
  endfunction()
  return()
endif()

# Only a repository of our own counts, not one that this folder happens to lie in.
set(git unknown)
if(EXISTS ${SOURCE}/.git)
  execute_process(COMMAND git -C ${SOURCE} describe --always --dirty --abbrev=40 --exclude=*
    OUTPUT_VARIABLE answer OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
  if(NOT failed)
    set(git ${answer})
  endif()
endif()
set(text "#define VITRINE_GIT \"${git}\"\n")
if(EXISTS ${HEADER})
  file(READ ${HEADER} old)
endif()
if(NOT text STREQUAL "${old}")
  file(WRITE ${HEADER} ${text})
endif()
