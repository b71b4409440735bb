# embed_file(TARGET SYMBOL FILE): the bytes of FILE (which may be built) become part of TARGET, as
#   extern "C" const std::byte SYMBOL[]; extern "C" const std::byte SYMBOL_end[];
function(embed_file target symbol file)
  set(assembly ${CMAKE_CURRENT_BINARY_DIR}/${symbol}.S)
  file(CONFIGURE OUTPUT ${assembly} CONTENT "\
.section .rodata
.balign 16
.global @symbol@
@symbol@: .incbin \"@file@\"
.global @symbol@_end
@symbol@_end: .byte 0
.section .note.GNU-stack,\"\",%progbits
" @ONLY)
  set_source_files_properties(${assembly} PROPERTIES OBJECT_DEPENDS ${file})
  target_sources(${target} PRIVATE ${assembly})
endfunction()
