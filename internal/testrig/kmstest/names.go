package kmstest

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

var aliasName = regexp.MustCompile(`^alias/[a-zA-Z0-9/_-]{1,250}$`)

type aliasIn struct{ AliasName, TargetKeyId string }

func (s *Server) createAlias(in aliasIn) (any, error) {
	if _, ok := s.aliases[in.AliasName]; ok {
		return nil, &apiError{400, "AlreadyExistsException", "An alias with the name " + arnPrefix + in.AliasName + " already exists"}
	}
	return s.pointAlias(in)
}

func (s *Server) updateAlias(in aliasIn) (any, error) {
	if _, ok := s.aliases[in.AliasName]; !ok {
		return nil, &apiError{400, "NotFoundException", "Alias " + arnPrefix + in.AliasName + " is not found."}
	}
	return s.pointAlias(in)
}

func (s *Server) pointAlias(in aliasIn) (any, error) {
	if !aliasName.MatchString(in.AliasName) || strings.HasPrefix(in.AliasName, "alias/aws/") {
		return nil, &apiError{400, "InvalidAliasNameException", "Alias must start with the prefix \"alias/\"."}
	}
	k, err := s.own(in.TargetKeyId)
	if err != nil {
		return nil, err
	}
	if err := k.notDoomed(); err != nil {
		return nil, err
	}
	if s.aliases == nil {
		s.aliases = make(map[string]string)
	}
	s.aliases[in.AliasName] = k.id
	return nil, nil
}

type listAliasesOut struct {
	Aliases   []listedAlias
	Truncated bool
}

type listedAlias struct{ AliasArn, AliasName, TargetKeyId string }

func (s *Server) listAliases(in keyIn) (any, error) {
	out := listAliasesOut{Aliases: []listedAlias{}}
	for _, name := range slices.Sorted(maps.Keys(s.aliases)) {
		id := s.aliases[name]
		if in.KeyId == "" || strings.HasSuffix(in.KeyId, id) {
			out.Aliases = append(out.Aliases, listedAlias{arnPrefix + name, name, id})
		}
	}
	return out, nil
}

type tag struct{ TagKey, TagValue string }

// tag adds tags or refuses all of them.
func (k *key) tag(tags []tag) error {
	if len(tags) > 50 {
		return &apiError{400, "LimitExceededException", "Too many tags"}
	}
	for _, t := range tags {
		if t.TagKey == "" || len(t.TagKey) > 128 || len(t.TagValue) > 256 || strings.HasPrefix(t.TagKey, "aws:") {
			return &apiError{400, "TagException", "Tag key or value is not valid"}
		}
	}
	for _, t := range tags {
		k.tags[t.TagKey] = t.TagValue
	}
	return nil
}

type tagResourceIn struct {
	KeyId string
	Tags  []tag
}

func (s *Server) tagResource(in tagResourceIn) (any, error) {
	k, err := s.own(in.KeyId)
	if err != nil {
		return nil, err
	}
	if err := k.notDoomed(); err != nil {
		return nil, err
	}
	return nil, k.tag(in.Tags)
}

type listResourceTagsOut struct {
	Tags      []tag
	Truncated bool
}

func (s *Server) listResourceTags(in keyIn) (any, error) {
	k, err := s.own(in.KeyId)
	if err != nil {
		return nil, err
	}
	out := listResourceTagsOut{Tags: []tag{}}
	for _, name := range slices.Sorted(maps.Keys(k.tags)) {
		out.Tags = append(out.Tags, tag{name, k.tags[name]})
	}
	return out, nil
}
