package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// made is a resource that a program asks for.
type made struct {
	Type    string         `json:"type"`
	Name    string         `json:"name"`
	Inputs  map[string]any `json:"inputs"`
	Secrets []string       `json:"secrets"` // which of the inputs are secret
}

// mocks stand in for Pulumi's engine and for the provider.
type mocks struct{ made []made }

func (m *mocks) Call(pulumi.MockCallArgs) (resource.PropertyMap, error) {
	return nil, fmt.Errorf("nothing is to be asked")
}

func (m *mocks) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	one := made{Type: args.TypeToken, Name: args.Name, Inputs: map[string]any{}}
	for key, value := range args.Inputs {
		if value.IsSecret() {
			one.Secrets = append(one.Secrets, string(key))
			value = value.SecretValue().Element
		}
		one.Inputs[string(key)] = value.Mappable()
	}
	m.made = append(m.made, one)
	return "id", args.Inputs, nil
}

// play runs a program with the configuration in PULUMI_CONFIG, and prints the resources that it asks for.
func play(program pulumi.RunFunc) {
	m := &mocks{}
	err := pulumi.RunErr(program, pulumi.WithMocks("shop", "dev", m))
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(m.made)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
