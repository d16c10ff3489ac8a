# pganalytics_add_plugin(<id> SOURCES a.cpp... [LINKS lib...] [EMBED schema.json queries/x.v14.sql ...])
#
# Makes <id>.so, a collector plugin: module library without "lib" prefix, one exported symbol, fully bound at load, no unique symbols.
# Each EMBED file becomes a string constant in "<id>_embedded.h", named after the file ("x.v14.sql" -> embedded::x_v14_sql); the
# sources stay plain files that editors, psql and validators understand. For unit tests the objects are also the library <id>_objects.

function(pganalytics_embed header)
  set(body "// Generated from the files named below; edit those.\n#pragma once\n\nnamespace embedded {\n")
  foreach(file IN LISTS ARGN)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${file})
    file(READ ${file} text)
    get_filename_component(name ${file} NAME)
    string(MAKE_C_IDENTIFIER ${name} name)
    # A compiler need not take a literal of more than 65,536 bytes; pieces are joined by the compiler.
    string(LENGTH "${text}" length)
    string(APPEND body "inline constexpr char ${name}[] =")
    set(at 0)
    while(at LESS length)
      string(SUBSTRING "${text}" ${at} 8000 piece)
      string(APPEND body "\n    R\"pgatext(${piece})pgatext\"")
      math(EXPR at "${at} + 8000")
    endwhile()
    string(APPEND body ";\n")
  endforeach()
  string(APPEND body "}  // namespace embedded\n")
  file(GENERATE OUTPUT ${header} CONTENT "${body}")
endfunction()

function(pganalytics_add_plugin id)
  set(version_script ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/plugin.version)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS;EMBED" ${ARGN})
  add_library(${id}_objects OBJECT ${ARG_SOURCES})
  target_link_libraries(${id}_objects PUBLIC pganalytics::sdk ${ARG_LINKS})
  if(TARGET pganalytics_build)
    target_link_libraries(${id}_objects PUBLIC pganalytics_build)
  endif()
  set_target_properties(${id}_objects PROPERTIES POSITION_INDEPENDENT_CODE ON CXX_VISIBILITY_PRESET hidden C_VISIBILITY_PRESET hidden)
  if(ARG_EMBED)
    pganalytics_embed(${CMAKE_CURRENT_BINARY_DIR}/generated/${id}_embedded.h ${ARG_EMBED})
    target_include_directories(${id}_objects PUBLIC ${CMAKE_CURRENT_BINARY_DIR}/generated)
  endif()

  add_library(${id} MODULE $<TARGET_OBJECTS:${id}_objects>)
  target_link_libraries(${id} PRIVATE ${id}_objects)
  target_compile_options(${id}_objects PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fno-gnu-unique>)
  target_link_options(${id} PRIVATE
    -Wl,--version-script=${version_script} -Wl,-z,relro,-z,now,--build-id
    $<$<NOT:$<BOOL:${PGANALYTICS_SANITIZE}>>:-Wl,-z,defs>)
  set_target_properties(${id} PROPERTIES PREFIX "" LINKER_LANGUAGE CXX LINK_DEPENDS ${version_script})
  if(PGANALYTICS_PLUGIN_OUTPUT)
    set_target_properties(${id} PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${PGANALYTICS_PLUGIN_OUTPUT})
  endif()
endfunction()
