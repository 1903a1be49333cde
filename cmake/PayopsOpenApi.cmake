# The description of the HTTP interface, put into the program: src/api/openapi.json, and the shapes
# of docs/console-protocol.schema.json that it refers to. REQUIRES: the module api.
function(payops_text_of file variable)
  if(EXISTS ${file})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    file(READ ${file} text)
  else()
    set(text "{\"$defs\": {}}")
  endif()
  set(${variable} "${text}" PARENT_SCOPE)
endfunction()

payops_text_of(${CMAKE_SOURCE_DIR}/src/api/openapi.json PAYOPS_OPENAPI)
payops_text_of(${CMAKE_SOURCE_DIR}/docs/console-protocol.schema.json PAYOPS_PROTOCOL)
configure_file(${CMAKE_SOURCE_DIR}/cmake/openapi_sources.cc.in
  ${CMAKE_BINARY_DIR}/openapi_sources.cc @ONLY)
target_sources(payops_api PRIVATE ${CMAKE_BINARY_DIR}/openapi_sources.cc)
