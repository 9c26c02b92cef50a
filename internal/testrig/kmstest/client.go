package kmstest

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kms"
)

// Client starts s and returns the SDK's own client for it.
func (s *Server) Client(t testing.TB) *kms.Client {
	t.Helper()
	return kms.New(kms.Options{
		Region:       Region,
		BaseEndpoint: aws.String(s.Start(t)),
		Credentials:  credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""),
	})
}
