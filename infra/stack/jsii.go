package stack

import "github.com/aws/jsii-runtime-go"

// The CDK takes every value by pointer. These three keep that noise out of the constructs.

func str(s string) *string { return &s }

func strs(all ...string) *[]*string { return jsii.Strings(all...) }

func num(n int) *float64 { return jsii.Number(n) }

// ptr is for a whole struct, a bool, or a list that the CDK takes by pointer.
func ptr[T any](v T) *T { return &v }
