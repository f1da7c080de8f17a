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
	kyaml "k8s.io/apimachinery/pkg/util/yaml"
	lws "sigs.k8s.io/lws/api/leaderworkerset/v1"
	"sigs.k8s.io/yaml"
)

type head struct {
	Kind string `json:"kind"`
}

// The type of a kind; nil: none that is known here.
func typed(kind string) any {
	switch kind {
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
