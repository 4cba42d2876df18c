# switchyard_layer(<name> [SOURCES files...] [PUBLIC libraries...] [PRIVATE libraries...])
#
# Defines the library switchyard_<name> of the calling folder. PUBLIC names what the layer's headers
# include, PRIVATE what only its sources do. A layer of headers alone has no SOURCES.
function(switchyard_layer name)
  cmake_parse_arguments(PARSE_ARGV 1 layer "" "" "SOURCES;PUBLIC;PRIVATE")
  if(layer_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "switchyard_layer(${name}): unexpected ${layer_UNPARSED_ARGUMENTS}")
  endif()
  set(target switchyard_${name})
  if(layer_SOURCES)
    add_library(${target} STATIC ${layer_SOURCES})
    target_link_libraries(${target} PUBLIC switchyard_options ${layer_PUBLIC}
                                    PRIVATE ${layer_PRIVATE})
  else()
    add_library(${target} INTERFACE)
    target_link_libraries(${target} INTERFACE switchyard_options ${layer_PUBLIC} ${layer_PRIVATE})
  endif()
endfunction()
