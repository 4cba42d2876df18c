# Writes OUTPUT from version_values.hpp.in; run at every build, so that the git hash is the one that
# was built. Leaves the file alone when nothing changed, so nothing is recompiled.
# Variables: SOURCE_DIR OUTPUT VERSION COMPILER GIT (program, may be empty)
set(GIT_HASH unknown)
if(GIT)
  # GIT_OPTIONAL_LOCKS=0: looking must not get in the way of a git command in another terminal.
  set(git ${CMAKE_COMMAND} -E env GIT_OPTIONAL_LOCKS=0 ${GIT} -C ${SOURCE_DIR})
  execute_process(COMMAND ${git} rev-parse --show-cdup
                  OUTPUT_VARIABLE up RESULT_VARIABLE status ERROR_QUIET
                  OUTPUT_STRIP_TRAILING_WHITESPACE)
  # A source archive unpacked inside another repository has no hash of its own.
  if(status EQUAL 0 AND up STREQUAL "")
    execute_process(COMMAND ${git} describe --always --dirty --exclude=* --abbrev=12
                    OUTPUT_VARIABLE described RESULT_VARIABLE status ERROR_QUIET
                    OUTPUT_STRIP_TRAILING_WHITESPACE)
    if(status EQUAL 0)
      set(GIT_HASH ${described})
    endif()
  endif()
endif()
configure_file(${CMAKE_CURRENT_LIST_DIR}/version_values.hpp.in ${OUTPUT} @ONLY)
