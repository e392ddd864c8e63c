// Added to the Python host when it is built (toolchain/lib/host.py says why).

package main

import (
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/encoding/protowire"
)

// Numbers of RunPluginRequest.info and ProgramInfo.program_directory, which are newer than this host's protocol.
const (
	info             protowire.Number = 5
	programDirectory protowire.Number = 2
)

// pluginFolder returns the folder of the plugin to run: what an engine of any age says.
func pluginFolder(request *pulumirpc.RunPluginRequest) string {
	if request.Program != "" {
		return request.Program
	}
	return string(field(field(request.ProtoReflect().GetUnknown(), info), programDirectory))
}

// field returns the content of a message's first field of a number, which must be text or a message; nil without one.
func field(message []byte, wanted protowire.Number) []byte {
	for len(message) > 0 {
		number, kind, size := protowire.ConsumeTag(message)
		if size < 0 {
			return nil
		}
		message = message[size:]
		if number == wanted && kind == protowire.BytesType {
			content, _ := protowire.ConsumeBytes(message)
			return content
		}
		size = protowire.ConsumeFieldValue(number, kind, message)
		if size < 0 {
			return nil
		}
		message = message[size:]
	}
	return nil
}
