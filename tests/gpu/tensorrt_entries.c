/* The entry symbols of TensorRT's libraries, without TensorRT: enough for its Python module to load.
   Whoever calls one gets nothing, so nothing of TensorRT can run on them, only be looked at. */

#define ENTRY(name) void *name(void); void *name(void) { return 0; }

ENTRY(createInferBuilder_INTERNAL)
ENTRY(createInferRuntime_INTERNAL)
ENTRY(createInferRefitter_INTERNAL)
ENTRY(createNvOnnxParser_INTERNAL)
ENTRY(createNvOnnxParserRefitter_INTERNAL)
ENTRY(getBuilderPluginRegistry)
ENTRY(getPluginRegistry)
ENTRY(getNvOnnxParserVersion)
ENTRY(initLibNvInferPlugins)
