# Runs PROGRAM over MPI with a file made from its own example: expert+data on RANKS ranks.
execute_process(COMMAND ${PROGRAM} example run OUTPUT_VARIABLE spec COMMAND_ERROR_IS_FATAL ANY)
string(REGEX REPLACE "\ndata = 1\n" "\ndata = ${RANKS}\n" spec "${spec}")
string(REGEX REPLACE "\nexpert = 1\n" "\nexpert = ${RANKS}\n" spec "${spec}")
string(REGEX REPLACE "\ntransport = none\n" "\ntransport = mpi\n" spec "${spec}")
foreach(size IN ITEMS "d_model = 512" "d_ff = 2048" "tokens_per_rank = 1024")
  string(REGEX REPLACE " = .*" "" key "${size}")
  string(REPLACE "\n${size}\n" "\n${key} = 64\n" spec "${spec}")
endforeach()
file(WRITE ${FILE} "${spec}")
execute_process(
  COMMAND ${MPIEXEC} --oversubscribe -np ${RANKS} ${PROGRAM} run ${FILE} --format json
  OUTPUT_VARIABLE json COMMAND_ERROR_IS_FATAL ANY)
string(JSON num_ranks GET "${json}" num_ranks)
string(JSON bytes GET "${json}" all_to_all_bytes)
if(NOT num_ranks EQUAL RANKS OR NOT bytes GREATER 0)
  message(FATAL_ERROR "${num_ranks} ranks sent ${bytes} bytes")
endif()
# A file for another number of ranks is refused by all, with exit code 2.
execute_process(COMMAND ${MPIEXEC} --oversubscribe -np 1 ${PROGRAM} run ${FILE}
  RESULT_VARIABLE status ERROR_VARIABLE message)
if(NOT status EQUAL 2 OR NOT message MATCHES "mpi has 1 ranks here, expected ${RANKS}")
  message(FATAL_ERROR "exit code ${status}: ${message}")
endif()
# Ranks as threads in each of several processes would all write the same file.
string(REGEX REPLACE "\ntransport = mpi\n" "\ntransport = loopback\n" loopback "${spec}")
file(WRITE ${FILE}.loopback "${loopback}")
execute_process(COMMAND ${MPIEXEC} --oversubscribe -np 2 ${PROGRAM} run ${FILE}.loopback
  RESULT_VARIABLE status ERROR_VARIABLE message)
if(NOT status EQUAL 2 OR NOT message MATCHES "transport: expected mpi, as mpirun started 2")
  message(FATAL_ERROR "exit code ${status}: ${message}")
endif()
