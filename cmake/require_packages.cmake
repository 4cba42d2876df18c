# Finds every dependency, and names all that are missing at once, with the line that installs them.
# Nothing is downloaded. SimGrid is optional (SWITCHYARD_SIMGRID); the rest is not.
#
# Defines: PkgConfig::simgrid when switchyard_has_simgrid is true; SWITCHYARD_PYTHON.

set(SWITCHYARD_SIMGRID AUTO CACHE STRING "Build the SimGrid engine: AUTO (if found), ON or OFF")
set_property(CACHE SWITCHYARD_SIMGRID PROPERTY STRINGS AUTO ON OFF)

set(missing_names "")
set(missing_packages "")

# Remembers `name` and its Debian packages as missing unless `found` is true.
macro(switchyard_require found name)
  if(NOT ${found})
    list(APPEND missing_names "${name}")
    list(APPEND missing_packages ${ARGN})
  endif()
endmacro()

find_package(Boost 1.74 QUIET)
switchyard_require(Boost_FOUND "Boost.Graph 1.74" libboost-graph-dev)
find_package(Eigen3 3.4 QUIET NO_MODULE)
switchyard_require(Eigen3_FOUND "Eigen 3.4" libeigen3-dev)
find_package(fmt 9 QUIET)
switchyard_require(fmt_FOUND "fmt 9" libfmt-dev)
find_package(spdlog QUIET)
switchyard_require(spdlog_FOUND "spdlog" libspdlog-dev)
find_package(yaml-cpp 0.7 QUIET)
switchyard_require(yaml-cpp_FOUND "yaml-cpp 0.7" libyaml-cpp-dev)
find_package(CLI11 QUIET)
switchyard_require(CLI11_FOUND "CLI11" libcli11-dev)
find_package(nlohmann_json 3 QUIET)
switchyard_require(nlohmann_json_FOUND "nlohmann/json 3" nlohmann-json3-dev)
find_package(NLopt 2.7 QUIET)
switchyard_require(NLopt_FOUND "NLopt 2.7" libnlopt-dev)

if(SWITCHYARD_BENCH)
  find_package(benchmark QUIET)
  switchyard_require(benchmark_FOUND "Google Benchmark" libbenchmark-dev)
endif()

function(switchyard_can_plot result python)
  execute_process(COMMAND ${python} -c "import matplotlib, numpy"
                  RESULT_VARIABLE status OUTPUT_QUIET ERROR_QUIET)
  if(NOT status EQUAL 0)
    set(${result} FALSE PARENT_SCOPE)
  endif()
endfunction()
find_program(SWITCHYARD_PYTHON NAMES python3 VALIDATOR switchyard_can_plot
             DOC "Python with matplotlib and numpy, for the tests of the plot scripts")

if(BUILD_TESTING)
  find_package(GTest QUIET CONFIG)
  switchyard_require(GTest_FOUND "GoogleTest with GoogleMock" libgtest-dev libgmock-dev)
  switchyard_require(SWITCHYARD_PYTHON "Python 3 with matplotlib and numpy"
                     python3-matplotlib python3-numpy)
endif()

set(switchyard_has_simgrid FALSE)
if(SWITCHYARD_SIMGRID)
  find_package(PkgConfig QUIET)
  if(PkgConfig_FOUND)
    pkg_check_modules(simgrid QUIET IMPORTED_TARGET GLOBAL simgrid>=3.32)
    set(switchyard_has_simgrid ${simgrid_FOUND})
  endif()
  if(NOT switchyard_has_simgrid AND SWITCHYARD_SIMGRID STREQUAL "AUTO")
    message(STATUS "SimGrid 3.32 not found: building without the simgrid engine "
                   "(to have it: apt-get install pkg-config libsimgrid-dev)")
  elseif(NOT switchyard_has_simgrid)
    switchyard_require(simgrid_FOUND "SimGrid 3.32" pkg-config libsimgrid-dev)
  endif()
endif()

if(missing_names)
  list(JOIN missing_names "\n  " names)
  list(JOIN missing_packages " " packages)
  message(FATAL_ERROR "Not found:\n  ${names}\nOn Debian and its like, install with:\n"
                      "  apt-get install --no-install-recommends ${packages}\n"
                      "or let ./dev setup do it.")
endif()
