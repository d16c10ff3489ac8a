# pganalytics_add_plugin(<id> SOURCES a.c... [LINKS lib...] [EMBED schema.json queries/x.v14.sql ...] [CONF conf.d/50-x.toml])
#
# Makes <id>.so, a collector plugin: module library without "lib" prefix, one exported symbol, fully bound at load, no unique symbols.
# C and C++ alike; a project without C++ needs no C++ compiler. The source writes the ELF note (PGA_NOTE or PGA_DEFINE_PLUGIN).
#
#   EMBED  each file becomes a string constant in "<id>_embedded.h" (embed.sh says how it is called)
#   CONF   configuration drop-ins: installed as .../pganalytics/conf.d/*.toml
#
# The project's version is PLUGIN_VERSION in the sources. For unit tests the objects are also the library <id>_objects. In a project that found the installed SDK, the plugin is installed
# where the host looks below the same prefix, and the test <id>_validate runs `pganalytics plugin validate` on the result.

# pganalytics_embed(<header> file...)   The caller adds <header> to the sources of a target.
function(pganalytics_embed header)
  set(files "")
  foreach(file IN LISTS ARGN)
    get_filename_component(file ${file} ABSOLUTE)
    list(APPEND files ${file})
  endforeach()
  set(script ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/embed.sh)
  add_custom_command(OUTPUT ${header} COMMAND sh ${script} ${header} ${files} DEPENDS ${files} ${script}
    COMMENT "Embedding files in ${header}" VERBATIM)
endfunction()

function(pganalytics_add_plugin id)
  set(here ${CMAKE_CURRENT_FUNCTION_LIST_DIR})
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS;EMBED;CONF" ${ARGN})
  if(NOT id MATCHES "^[a-z][a-z0-9_]+$" OR id MATCHES "^.................................")
    message(FATAL_ERROR "pganalytics_add_plugin: '${id}' is no plugin id: a small letter, then 1 to 31 of a-z, 0-9 and _")
  endif()
  if(ARG_UNPARSED_ARGUMENTS OR NOT ARG_SOURCES)
    message(FATAL_ERROR "pganalytics_add_plugin(${id}): say SOURCES; not understood: '${ARG_UNPARSED_ARGUMENTS}'")
  endif()

  add_library(${id}_objects OBJECT ${ARG_SOURCES})
  target_link_libraries(${id}_objects PUBLIC pganalytics::sdk ${ARG_LINKS})
  if(TARGET pganalytics_build)
    target_link_libraries(${id}_objects PUBLIC pganalytics_build)
  endif()
  set_target_properties(${id}_objects PROPERTIES POSITION_INDEPENDENT_CODE ON CXX_VISIBILITY_PRESET hidden C_VISIBILITY_PRESET hidden
    VISIBILITY_INLINES_HIDDEN ON)
  if(PROJECT_VERSION)
    target_compile_definitions(${id}_objects PRIVATE PLUGIN_VERSION="${PROJECT_VERSION}")  # for the descriptor
  endif()
  # A unique symbol would be shared by all plugins of a process, whatever their visibility.
  target_compile_options(${id}_objects PRIVATE $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fno-gnu-unique>)
  if(ARG_EMBED)
    set(header ${CMAKE_CURRENT_BINARY_DIR}/generated/${id}_embedded.h)
    pganalytics_embed(${header} ${ARG_EMBED})
    target_sources(${id}_objects PRIVATE ${header})
    target_include_directories(${id}_objects PUBLIC ${CMAKE_CURRENT_BINARY_DIR}/generated)
  endif()

  add_library(${id} MODULE $<TARGET_OBJECTS:${id}_objects>)
  target_link_libraries(${id} PRIVATE ${id}_objects)
  target_link_options(${id} PRIVATE -Wl,--version-script=${here}/plugin.version -Wl,-z,relro,-z,now,--build-id)
  # A sanitizer's functions come from the program that loads the plugin.
  if(NOT PGANALYTICS_SANITIZE AND NOT "${CMAKE_C_FLAGS} ${CMAKE_CXX_FLAGS}" MATCHES "-fsanitize")
    target_link_options(${id} PRIVATE -Wl,-z,defs)
  endif()
  set_target_properties(${id} PROPERTIES PREFIX "" LINK_DEPENDS ${here}/plugin.version)
  if(PGANALYTICS_PLUGIN_OUTPUT)
    set_target_properties(${id} PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${PGANALYTICS_PLUGIN_OUTPUT})
  endif()
  get_target_property(from_package pganalytics::sdk IMPORTED)
  if(from_package)
    pganalytics_install_plugin(${id} ${ARG_CONF})
    pganalytics_validate_plugin(${id})
  endif()
endfunction()

function(pganalytics_install_plugin id)
  include(GNUInstallDirs)
  install(TARGETS ${id} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/pganalytics/plugins)
  set(etc ${CMAKE_INSTALL_SYSCONFDIR})
  if(CMAKE_INSTALL_PREFIX MATCHES "^/usr/?$")
    set(etc ${CMAKE_INSTALL_FULL_SYSCONFDIR})  # /etc: there is no /usr/etc
  endif()
  install(FILES ${ARGN} DESTINATION ${etc}/pganalytics/conf.d)
endfunction()

# Looks for the program when the test runs: it may be installed later than the SDK, or never on a machine that only builds.
function(pganalytics_validate_plugin id)
  add_test(NAME ${id}_validate COMMAND ${CMAKE_COMMAND} -DPLUGIN=$<TARGET_FILE:${id}> -DNEAR=${pganalytics-plugin_BINDIR}
    -P ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/PganalyticsValidate.cmake)
  set_tests_properties(${id}_validate PROPERTIES SKIP_REGULAR_EXPRESSION "skipped: " TIMEOUT 600)
endfunction()
