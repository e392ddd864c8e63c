"""Start the component plugin. The engine runs this folder, as PulumiPlugin.yaml says."""

from flaskstack.plugin.provider import serve

if __name__ == "__main__":
    serve()
