// A Pulumi program of another team, in Go: it uses the components through the plugin, and knows nothing of Python.
//
// There is no Go language host to be had from a registry. The automation API makes the program its own host: the
// engine, the plugin and the protocol between them are the real ones.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optdestroy"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optpreview"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Settings come as JSON in the variable SETTINGS: what differs between the tests.
type settings struct {
	Stack      string         // name of the stack
	Plugin     string         // folder of the plugin
	App        map[string]any // FlaskApp
	Image      map[string]any // further arguments of AppImage
	Local      map[string]any // further arguments of LocalStack; {"secret": VALUE} is a secret
	Kubernetes map[string]any // arguments of KubernetesApp but for the application, instead of all that
}

type image struct {
	pulumi.ResourceState
	Ref pulumi.StringOutput `pulumi:"ref"`
}

type local struct {
	pulumi.ResourceState
	URL     pulumi.StringOutput      `pulumi:"url"`
	Image   pulumi.StringOutput      `pulumi:"image"`
	Volumes pulumi.StringArrayOutput `pulumi:"volumes"`
}

type kubernetes struct {
	pulumi.ResourceState
	URL        pulumi.StringOutput `pulumi:"url"`
	Image      pulumi.StringOutput `pulumi:"image"`
	Deployment pulumi.StringOutput `pulumi:"deployment"`
}

func (s settings) program(ctx *pulumi.Context) error {
	app := pulumi.ToOutput(s.App)
	if s.Kubernetes != nil {
		var released kubernetes
		given := arguments(s.Kubernetes, pulumi.Map{"app": app})
		if err := ctx.RegisterRemoteComponentResource("flaskstack:index:KubernetesApp", ctx.Stack(), given, &released); err != nil {
			return err
		}
		ctx.Export("url", released.URL)
		ctx.Export("image", released.Image)
		ctx.Export("deployment", released.Deployment)
		return nil
	}
	var built image
	if err := ctx.RegisterRemoteComponentResource(
		"flaskstack:index:AppImage", ctx.Stack(), arguments(s.Image, pulumi.Map{"app": app}), &built); err != nil {
		return err
	}
	var stack local
	given := arguments(s.Local, pulumi.Map{"app": app, "image": built.Ref})
	if err := ctx.RegisterRemoteComponentResource("flaskstack:index:LocalStack", ctx.Stack()+"-local", given, &stack); err != nil {
		return err
	}
	ctx.Export("url", stack.URL)
	ctx.Export("image", stack.Image)
	ctx.Export("ref", built.Ref)
	ctx.Export("volumes", stack.Volumes)
	return nil
}

func arguments(more map[string]any, given pulumi.Map) pulumi.Map {
	for key, value := range more {
		given[key] = pulumi.ToOutput(value)
		if wrapped, ok := value.(map[string]any); ok && wrapped["secret"] != nil {
			given[key] = pulumi.ToSecret(wrapped["secret"])
		}
	}
	return given
}

func run(verb string) error {
	var s settings
	if err := json.Unmarshal([]byte(os.Getenv("SETTINGS")), &s); err != nil {
		return err
	}
	project := workspace.Project{
		Name:    tokens.PackageName("shop"),
		Runtime: workspace.NewProjectRuntimeInfo("go", nil),
		Plugins: &workspace.Plugins{Providers: []workspace.PluginOptions{{Name: "flaskstack", Path: s.Plugin}}},
	}
	ctx := context.Background()
	stack, err := auto.UpsertStackInlineSource(ctx, s.Stack, "shop", s.program, auto.Project(project), auto.WorkDir("."))
	if err != nil {
		return err
	}
	switch verb {
	case "preview":
		result, err := stack.Preview(ctx, optpreview.ProgressStreams(os.Stderr), optpreview.ErrorProgressStreams(os.Stderr))
		if err != nil {
			return err
		}
		return print(map[string]int{"create": result.ChangeSummary[apitype.OpCreate], "same": result.ChangeSummary[apitype.OpSame]})
	case "up":
		result, err := stack.Up(ctx, optup.ProgressStreams(os.Stderr), optup.ErrorProgressStreams(os.Stderr))
		if err != nil {
			return err
		}
		outputs := map[string]any{}
		for name, output := range result.Outputs {
			outputs[name] = output.Value
		}
		return print(outputs)
	case "destroy":
		_, err := stack.Destroy(ctx, optdestroy.ProgressStreams(os.Stderr))
		return err
	}
	return fmt.Errorf("unknown verb %q", verb)
}

func print(value any) error {
	return json.NewEncoder(os.Stdout).Encode(value)
}

func main() {
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
