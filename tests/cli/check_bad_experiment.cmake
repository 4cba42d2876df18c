# cmake -DPROGRAM=<switchyard> -DNAME=<name> -DDATA=<folder> -DOUT=<folder> -P <this>
#
# In tests/cli: `check` and `run` refuse bad/<name>.yaml with exit code 2, print exactly
# bad/<name>.expected to stderr and nothing to stdout, and leave no folder OUT.
cmake_minimum_required(VERSION 3.25)
set(ENV{SWITCHYARD_DATA} "${DATA}")
file(REMOVE_RECURSE "${OUT}")
file(READ bad/${NAME}.expected expected)

function(expect_refusal)
  list(JOIN ARGN " " arguments)
  execute_process(COMMAND ${PROGRAM} ${ARGN}
    RESULT_VARIABLE status OUTPUT_VARIABLE out ERROR_VARIABLE err)
  if(NOT status STREQUAL "2")
    message(SEND_ERROR "switchyard ${arguments}: exit code ${status}, expected 2")
  endif()
  if(NOT out STREQUAL "")
    message(SEND_ERROR "switchyard ${arguments}: expected nothing on stdout, got\n${out}")
  endif()
  if(NOT err STREQUAL expected)
    message(SEND_ERROR "switchyard ${arguments}: expected on stderr\n${expected}got\n${err}")
  endif()
endfunction()

expect_refusal(check bad/${NAME}.yaml)
expect_refusal(run bad/${NAME}.yaml --out ${OUT})
if(EXISTS "${OUT}")
  message(SEND_ERROR "the folder ${OUT} was created")
endif()
