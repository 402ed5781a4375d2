"""The CDK application: service files in, stacks out."""

from stacks.synthesis import synthesize

if __name__ == "__main__":
    synthesize()
