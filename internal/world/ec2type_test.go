package world_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/cniguard/cniguard/internal/world"
)

// figures are the lines of a file by their first words.
func figures(t *testing.T, name string) map[string]string {
	lines := map[string]string{}
	for _, line := range strings.Split(string(read(t, name)), "\n") {
		if key, rest, ok := strings.Cut(line, " "); ok && key != "#" {
			lines[key] = rest
		}
	}
	return lines
}

func TestInstanceTypesAreAsEC2AndTheCNIHaveThem(t *testing.T) {
	recorded := figures(t, "../capacity/testdata/instance-types.txt")
	pods := figures(t, "../capacity/testdata/eni-max-pods.txt")
	if whole := "../../../shared/data/eni-max-pods.txt"; exists(whole) {
		pods = figures(t, whole)
	}
	s := set(t, 1, nil)
	s.at(0, func(ctx context.Context, c *world.Client) {
		out, err := c.DescribeInstanceTypes(ctx, &ec2.DescribeInstanceTypesInput{})
		if err != nil || len(out.InstanceTypes) < 15 {
			t.Fatalf("%d types, %v", len(out.InstanceTypes), err)
		}
		compared := 0
		for _, i := range out.InstanceTypes {
			name, hypervisor := string(i.InstanceType), string(i.Hypervisor)
			if *i.BareMetal {
				hypervisor += "metal"
			}
			card := i.NetworkInfo.NetworkCards[*i.NetworkInfo.DefaultNetworkCardIndex]
			got := fmt.Sprint(*card.MaximumNetworkInterfaces, " ", *i.NetworkInfo.Ipv4AddressesPerInterface, " ", hypervisor, " ", *i.VCpuInfo.DefaultVCpus)
			if got != recorded[name] {
				t.Errorf("%s: %s; EC2 said %q", name, got, recorded[name])
			}
			most := fmt.Sprint(*card.MaximumNetworkInterfaces*(*i.NetworkInfo.Ipv4AddressesPerInterface-1) + 2)
			if want, ok := pods[name]; ok && most != want {
				t.Errorf("%s has addresses for %s pods; the CNI says %s", name, most, want)
			} else if ok {
				compared++
			}
			sum := int32(0)
			for _, card := range i.NetworkInfo.NetworkCards {
				sum += *card.MaximumNetworkInterfaces
			}
			if sum != *i.NetworkInfo.MaximumNetworkInterfaces || int(*i.NetworkInfo.MaximumNetworkCards) != len(i.NetworkInfo.NetworkCards) {
				t.Errorf("%s has %d interfaces on all its cards, which have %d", name, *i.NetworkInfo.MaximumNetworkInterfaces, sum)
			}
		}
		if compared < 5 {
			t.Errorf("only %d types were compared with the CNI's", compared)
		}
	})
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

func TestInstanceTypesAreFound(t *testing.T) {
	filter := func(values ...string) []types.Filter {
		return []types.Filter{{Name: aws.String("instance-type"), Values: values}}
	}
	s := set(t, 1, nil)
	for name, c := range map[string]struct {
		in   ec2.DescribeInstanceTypesInput
		want string
	}{
		"by a family":     {ec2.DescribeInstanceTypesInput{Filters: filter("c7gn.*")}, "c7gn.large c7gn.16xlarge"},
		"by two patterns": {ec2.DescribeInstanceTypesInput{Filters: filter("c5.*", "t?.medium", "m.*")}, "t2.medium t3.medium c5.large c5.xlarge"},
		"a dot is no wildcard, and a question mark is one character or none": {ec2.DescribeInstanceTypesInput{Filters: filter("m5.l?rge?")}, "m5.large"},
		"not by a part of the name":          {ec2.DescribeInstanceTypesInput{Filters: filter("m5")}, ""},
		"by names":                           {ec2.DescribeInstanceTypesInput{InstanceTypes: []types.InstanceType{"m5.large", "t3.small"}}, "t3.small m5.large"},
		"a name that is none fails the call": {ec2.DescribeInstanceTypesInput{InstanceTypes: []types.InstanceType{"m5.large", "m5.huge"}}, "400 InvalidInstanceType"},
		"fewer than 5 in a page":             {ec2.DescribeInstanceTypesInput{MaxResults: aws.Int32(4)}, "400 InvalidParameterValue"},
		"more than 100 in a page":            {ec2.DescribeInstanceTypesInput{MaxResults: aws.Int32(101)}, "400 InvalidParameterValue"},
		"by another filter":                  {ec2.DescribeInstanceTypesInput{Filters: []types.Filter{{Name: aws.String("instance-typ")}}}, "400 InvalidParameterValue"},
	} {
		s.at(0, func(ctx context.Context, k *world.Client) {
			out, err := k.DescribeInstanceTypes(ctx, &c.in)
			got := code(err)
			if err == nil {
				var names []string
				for _, i := range out.InstanceTypes {
					names = append(names, string(i.InstanceType))
				}
				got = strings.Join(names, " ")
			}
			if got != c.want {
				t.Errorf("%s: %q; want %q", name, got, c.want)
			}
		})
	}
}
