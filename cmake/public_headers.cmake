# The headers that a component may include, which make the interface between plug-ins and the program. Everything else of the
# tree, above all what the program does with runs once they are there, may change without building plug-ins anew.

# vitrine_public_headers(OUT ROOT) lists them, relative to ROOT, a checkout or the folder of headers of an installation.
function(vitrine_public_headers out root)
  set(rooms framework models experiments)
  foreach(room config data drawing engine files images infer kernel model onnx predicting program program/operation registry runs simd state training)
    list(APPEND rooms framework/${room})
  endforeach()
  list(TRANSFORM rooms PREPEND ${root}/)
  list(TRANSFORM rooms APPEND /*.h)
  file(GLOB found RELATIVE ${root} ${rooms})
  # Bodies of the kernel's loops, compiled once for each instruction set, and what only they include.
  list(FILTER found EXCLUDE REGEX "-inl\\.h$|^framework/simd/targets\\.h$")
  list(SORT found)
  set(${out} ${found} PARENT_SCOPE)
endfunction()

# One SHA-256 of them, by their paths and contents; the same wherever they lie.
function(vitrine_headers_digest out root)
  vitrine_public_headers(headers ${root})
  set(list "")
  foreach(header IN LISTS headers)
    file(SHA256 ${root}/${header} hash)
    string(APPEND list "${hash}  ${header}\n")
  endforeach()
  string(SHA256 digest "${list}")
  set(${out} ${digest} PARENT_SCOPE)
endfunction()
