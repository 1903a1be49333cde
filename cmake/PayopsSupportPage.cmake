# The chat's page and the API's description go into the program as they lie in dashboards/support.
foreach(pair "CHAT_HTML:chat.html" "CHAT_CSS:chat.css" "CHAT_JS:chat.js" "SUPPORT_OPENAPI:openapi.json")
  string(REPLACE ":" ";" parts ${pair})
  list(GET parts 0 name)
  list(GET parts 1 file)
  file(READ ${CMAKE_SOURCE_DIR}/dashboards/support/${file} PAYOPS_${name})
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
    ${CMAKE_SOURCE_DIR}/dashboards/support/${file})
endforeach()
configure_file(cmake/support_page.cc.in ${CMAKE_BINARY_DIR}/support_page.cc @ONLY)
target_sources(payops_api PRIVATE ${CMAKE_BINARY_DIR}/support_page.cc)
set_source_files_properties(${CMAKE_BINARY_DIR}/support_page.cc PROPERTIES
  INCLUDE_DIRECTORIES ${CMAKE_SOURCE_DIR}/src/api SKIP_UNITY_BUILD_INCLUSION ON)
