# Builds the console's page in BUILD, apart from the sources, and writes it as C++ to OUT. What
# fails is said, and leaves a program without the page rather than none.

function(without_page why)
  message(WARNING "The console's page could not be built (${why}); the program is built without it. "
    "Remove ${OUT} to try again.")
  configure_file(${CMAKE_CURRENT_FUNCTION_LIST_DIR}/no_page_files.cc.in ${OUT} COPYONLY)
endfunction()

file(MAKE_DIRECTORY ${BUILD})
file(REMOVE_RECURSE ${BUILD}/src ${BUILD}/static ${BUILD}/dist)
foreach(name src static package.json package-lock.json tsconfig.json build.mjs embed.mjs)
  file(COPY ${SOURCE}/${name} DESTINATION ${BUILD})
endforeach()

# npm runs again only when the lock file is another one.
file(SHA256 ${BUILD}/package-lock.json wanted)
set(installed "")
if(EXISTS ${BUILD}/installed)
  file(READ ${BUILD}/installed installed)
endif()
if(NOT installed STREQUAL wanted)
  execute_process(COMMAND ${NPM} ci --omit=dev --no-audit --no-fund --loglevel=error
    WORKING_DIRECTORY ${BUILD} RESULT_VARIABLE failed)
  if(failed)
    without_page("npm ci: ${failed}")
    return()
  endif()
  file(WRITE ${BUILD}/installed ${wanted})
endif()

foreach(step "build.mjs;dist" "embed.mjs;dist;${OUT}")
  execute_process(COMMAND ${NODE} ${step} WORKING_DIRECTORY ${BUILD} RESULT_VARIABLE failed)
  if(failed)
    without_page("${step}: ${failed}")
    return()
  endif()
endforeach()
