// Reads names of files, one a line; prints what the types and the loader of their kind have against them.
package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/compose-spec/compose-go/v2/cli"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	kyaml "k8s.io/apimachinery/pkg/util/yaml"
	lws "sigs.k8s.io/lws/api/leaderworkerset/v1"
	"sigs.k8s.io/yaml"
)

type head struct {
	Kind string `json:"kind"`
}

// What a DynamoGraphDeployment of nvidia.com/v1alpha1 may hold, as far as workers need it: names and kinds of the fields of
// deploy/operator/api/v1alpha1 (dynamographdeployment_types.go, dynamocomponentdeployment_types.go, common.go) of ai-dynamo/dynamo at
// 00686d64463dceb8718974a481f643cc03dd469e, whose module no proxy has. What is not among them is refused.
type graph struct {
	meta.TypeMeta   `json:",inline"`
	meta.ObjectMeta `json:"metadata"`
	Spec            struct {
		Annotations      map[string]string  `json:"annotations"`
		Labels           map[string]string  `json:"labels"`
		BackendFramework string             `json:"backendFramework"`
		Envs             []core.EnvVar      `json:"envs"`
		Pvcs             []pvc              `json:"pvcs"`
		Services         map[string]service `json:"services"`
	} `json:"spec"`
}

type pvc struct {
	Create           bool              `json:"create"`
	Name             string            `json:"name"`
	StorageClass     string            `json:"storageClass"`
	Size             resource.Quantity `json:"size"`
	VolumeAccessMode string            `json:"volumeAccessMode"`
}

type service struct {
	Annotations      map[string]string `json:"annotations"`
	Labels           map[string]string `json:"labels"`
	ServiceName      string            `json:"serviceName"`
	ComponentType    string            `json:"componentType"`
	SubComponentType string            `json:"subComponentType"`
	Resources        struct {
		Requests amounts              `json:"requests"`
		Limits   amounts              `json:"limits"`
		Claims   []core.ResourceClaim `json:"claims"`
	} `json:"resources"`
	Envs          []core.EnvVar `json:"envs"`
	EnvFromSecret string        `json:"envFromSecret"`
	VolumeMounts  []struct {
		Name                  string `json:"name"`
		MountPoint            string `json:"mountPoint"`
		UseAsCompilationCache bool   `json:"useAsCompilationCache"`
	} `json:"volumeMounts"`
	SharedMemory struct {
		Disabled bool              `json:"disabled"`
		Size     resource.Quantity `json:"size"`
	} `json:"sharedMemory"`
	ExtraPodMetadata struct {
		Annotations map[string]string `json:"annotations"`
		Labels      map[string]string `json:"labels"`
	} `json:"extraPodMetadata"`
	ExtraPodSpec struct {
		core.PodSpec  `json:",inline"`
		MainContainer core.Container `json:"mainContainer"`
	} `json:"extraPodSpec"`
	LivenessProbe  *core.Probe `json:"livenessProbe"`
	ReadinessProbe *core.Probe `json:"readinessProbe"`
	Replicas       int32       `json:"replicas"`
	Multinode      *struct {
		NodeCount int32 `json:"nodeCount"`
	} `json:"multinode"`
}

type amounts struct {
	CPU     string            `json:"cpu"`
	Memory  string            `json:"memory"`
	GPU     string            `json:"gpu"`
	GPUType string            `json:"gpuType"`
	Custom  map[string]string `json:"custom"`
}

// What the definition asks for beyond its types.
func (g *graph) complaint() error {
	for name, one := range g.Spec.Services {
		if one.Multinode != nil && one.Multinode.NodeCount < 2 {
			return fmt.Errorf("%s: multinode.nodeCount is %d, at least 2 are asked for", name, one.Multinode.NodeCount)
		}
		if one.Replicas < 0 {
			return fmt.Errorf("%s: replicas is %d", name, one.Replicas)
		}
	}
	return nil
}

// The type of a kind; nil: none that is known here.
func typed(kind string) any {
	switch kind {
	case "DynamoGraphDeployment":
		return &graph{}
	case "LeaderWorkerSet":
		return &lws.LeaderWorkerSet{}
	case "Deployment":
		return &apps.Deployment{}
	case "StatefulSet":
		return &apps.StatefulSet{}
	case "Service":
		return &core.Service{}
	case "ConfigMap":
		return &core.ConfigMap{}
	case "PersistentVolumeClaim":
		return &core.PersistentVolumeClaim{}
	}
	return nil
}

func objects(path string) error {
	file, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	reader := kyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(file)))
	for {
		text, err := reader.Read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		var found head
		if err := yaml.Unmarshal(text, &found); err != nil {
			return err
		}
		object := typed(found.Kind)
		if object == nil {
			continue
		}
		if err := yaml.UnmarshalStrict(text, object, yaml.DisallowUnknownFields); err != nil {
			return err
		}
		if own, ok := object.(*graph); ok {
			if err := own.complaint(); err != nil {
				return err
			}
		}
	}
}

func compose(path string) error {
	options, err := cli.NewProjectOptions([]string{path}, cli.WithName("checked"), cli.WithEnv(os.Environ()), cli.WithWorkingDirectory(filepath.Dir(path)))
	if err != nil {
		return err
	}
	_, err = options.LoadProject(context.Background())
	return err
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		path := lines.Text()
		check := objects
		if strings.HasPrefix(filepath.Base(path), "compose") {
			check = compose
		}
		if err := check(path); err != nil {
			fmt.Printf("%s\t%s\n", path, strings.ReplaceAll(err.Error(), "\n", " "))
		}
	}
}
