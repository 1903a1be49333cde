# payops_page: a library with the console's page in it (payops/api/page_files.h), built from
# dashboards/console where node and npm are installed (scripts/install-deps console). Without them,
# or where npm cannot fetch, the program is the same but for the page.

option(PAYOPS_CONSOLE "Build the console's page into the program, where npm is installed" ON)
find_program(PAYOPS_NODE NAMES node nodejs)
find_program(PAYOPS_NPM npm)

set(payops_console_source ${CMAKE_SOURCE_DIR}/dashboards/console)
set(payops_page_cc ${CMAKE_BINARY_DIR}/console_page.cc)

if(PAYOPS_CONSOLE AND PAYOPS_NODE AND PAYOPS_NPM)
  file(GLOB_RECURSE payops_page_sources CONFIGURE_DEPENDS
    ${payops_console_source}/src/*.ts ${payops_console_source}/src/*.css
    ${payops_console_source}/static/*)
  foreach(name package.json package-lock.json tsconfig.json build.mjs embed.mjs)
    list(APPEND payops_page_sources ${payops_console_source}/${name})
  endforeach()
  add_custom_command(OUTPUT ${payops_page_cc}
    COMMAND ${CMAKE_COMMAND} -DNODE=${PAYOPS_NODE} -DNPM=${PAYOPS_NPM}
      -DSOURCE=${payops_console_source} -DBUILD=${CMAKE_BINARY_DIR}/console-build
      -DOUT=${payops_page_cc} -P ${CMAKE_SOURCE_DIR}/cmake/PayopsConsolePage.cmake
    DEPENDS ${payops_page_sources} ${CMAKE_SOURCE_DIR}/cmake/PayopsConsolePage.cmake
    COMMENT "Building the console's page" VERBATIM)
else()
  message(STATUS "No node and npm, or PAYOPS_CONSOLE off: built without the console's page")
  configure_file(${CMAKE_SOURCE_DIR}/cmake/no_page_files.cc.in ${payops_page_cc} COPYONLY)
endif()

add_library(payops_page STATIC ${payops_page_cc})
target_include_directories(payops_page PUBLIC ${CMAKE_SOURCE_DIR}/include)
target_link_libraries(payops_page PRIVATE payops_flags)
payops_dependency(page payops_page)
