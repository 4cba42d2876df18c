# switchyard_layer(<name> [SOURCES files...] [PUBLIC libraries...] [PRIVATE libraries...]
#                  [PRECOMPILED headers...] [ALONE files...])
#
# Defines the library switchyard_<name> of the calling folder. PUBLIC names what the layer's headers
# include, PRIVATE what only its sources do. A layer of headers alone has no SOURCES. PRECOMPILED are
# headers of libraries that most sources read: parsed once for the layer. ALONE are sources
# whose unnamed namespaces have names of others': SWITCHYARD_UNITY compiles them by themselves.
function(switchyard_layer name)
  cmake_parse_arguments(PARSE_ARGV 1 layer "" ""
    "SOURCES;PUBLIC;PRIVATE;PRECOMPILED;ALONE")
  if(layer_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "switchyard_layer(${name}): unexpected ${layer_UNPARSED_ARGUMENTS}")
  endif()
  set(target switchyard_${name})
  if(layer_SOURCES)
    add_library(${target} STATIC ${layer_SOURCES})
    target_link_libraries(${target} PUBLIC switchyard_options ${layer_PUBLIC}
                                    PRIVATE ${layer_PRIVATE})
    if(layer_PRECOMPILED)
      target_precompile_headers(${target} PRIVATE ${layer_PRECOMPILED})
    endif()
    switchyard_unity(${target} ${layer_ALONE})
  else()
    add_library(${target} INTERFACE)
    target_link_libraries(${target} INTERFACE switchyard_options ${layer_PUBLIC} ${layer_PRIVATE})
  endif()
endfunction()

# switchyard_unity(<target> [files...]): several sources at once, but for the files given.
function(switchyard_unity target)
  if(NOT SWITCHYARD_UNITY)
    return()
  endif()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
  # What an unnamed namespace holds is in an included file now.
  target_compile_options(${target} PRIVATE -Wno-subobject-linkage)
  set_source_files_properties(${ARGN} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()
