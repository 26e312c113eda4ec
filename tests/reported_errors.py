"""Error texts that people reported in public, put together before the code that reads them.

None of them was used while that code was written. The errors and the forms in which they were pasted
are as reported; paths and arguments are shortened, and frames that the report cut off are completed
in its form. `said` is what a cell of the atlas would say of it, for those that are a matter of timm's
releases; None for those that only look like it.
"""

# ruff: noqa: E501

from typing import NamedTuple


class Reported(NamedTuple):
    source: str
    text: str
    said: str | None


REPORTED = [
    Reported(
        "timm 2352, Visual Studio Code, IPython",
        """File ~/notebooks/../modules/cloud_mask/cloud_mask.py:52, in CloudMask.predict(self, inp, size)
     [51](https://file+.vscode-resource.vscode-cdn.net/home/modules/cloud_mask.py:51)   for model in self.models:
---> [52](https://file+.vscode-resource.vscode-cdn.net/home/modules/cloud_mask.py:52)         outs += model(inp[ib:ib+batch_size]) / len(self.models)
File ~/anaconda3/lib/python3.11/site-packages/torch/nn/modules/module.py:1736, in Module._wrapped_call_impl(self, *args, **kwargs)
-> [1736](https://file+.vscode-resource.vscode-cdn.net/home/module.py:1736)     return self._call_impl(*args, **kwargs)
File ~/anaconda3/lib/python3.11/site-packages/timm/layers/conv_bn_act.py:83, in ConvNormAct.forward(self, x)
     [82](https://file+.vscode-resource.vscode-cdn.net/home/conv_bn_act.py:82) x = self.bn(x)
---> [83](https://file+.vscode-resource.vscode-cdn.net/home/conv_bn_act.py:83) if self.aa is not None:
     [84](https://file+.vscode-resource.vscode-cdn.net/home/conv_bn_act.py:84)     x = self.aa(x)
File ~/anaconda3/lib/python3.11/site-packages/torch/nn/modules/module.py:1931, in Module.__getattr__(self, name)
-> [1931](https://file+.vscode-resource.vscode-cdn.net/home/module.py:1931) raise AttributeError(
   [1932](https://file+.vscode-resource.vscode-cdn.net/home/module.py:1932)     f"'{type(self).__name__}' object has no attribute '{name}'"
   [1933](https://file+.vscode-resource.vscode-cdn.net/home/module.py:1933) )

AttributeError: 'ConvNormAct' object has no attribute 'aa'""",
        "'ConvNormAct' object has no attribute 'aa'",
    ),
    Reported(
        "varKoder 25, a title",
        "SRA model .pkl file error AttributeError: 'Attention' object has no attribute 'norm'. "
        "Did you mean: 'k_norm'?",
        "'Attention' object has no attribute 'norm'",
    ),
    Reported(
        "EmotiEffLib 2, the last frames",
        """ File "/Users/xxx/Library/Python/3.8/lib/python/site-packages/timm/models/efficientnet_blocks.py", line 47, in forward
    return x * self.gate(x_se)
  File "/Users/xxx/Library/Python/3.8/lib/python/site-packages/torch/nn/modules/module.py", line 947, in __getattr__
    raise AttributeError("'{}' object has no attribute '{}'".format(
AttributeError: 'SqueezeExcite' object has no attribute 'gate'""",
        "'SqueezeExcite' object has no attribute 'gate'",
    ),
    Reported(
        "timm 743, a title",
        "AttributeError: 'SqueezeExcite' object has no attribute 'gate'[BUG] Issue title...",
        "'SqueezeExcite' object has no attribute 'gate'",
    ),
    Reported(
        "hsemotion 4, Jupyter on Windows",
        r"""ModuleNotFoundError                       Traceback (most recent call last)
Cell In[14], line 7
      2 model_name='enet_b0_8_best_afew'
----> 7 fer=HSEmotionRecognizer(model_name=model_name,device=device)

File ~\Documents\code\hsemotion\env\lib\site-packages\hsemotion\facial_emotions.py:49, in HSEmotionRecognizer.__init__(self, model_name, device)
     48 path=get_model_path(model_name)
---> 49 model=torch.load(path)

File ~\Documents\code\hsemotion\env\lib\site-packages\torch\serialization.py:809, in load(f, map_location, pickle_module, weights_only, **pickle_load_args)
    807             except RuntimeError as e:
    808                 raise pickle.UnpicklingError(UNSAFE_MESSAGE + str(e)) from None
--> 809         return _load(opened_zipfile, map_location, pickle_module, **pickle_load_args)

File ~\Documents\code\hsemotion\env\lib\site-packages\torch\serialization.py:1165, in _load.<locals>.UnpicklerWrapper.find_class(self, mod_name, name)
-> 1165 return super().find_class(mod_name, name)

ModuleNotFoundError: No module named 'timm.models.layers.conv2d_same'""",
        "No module named 'timm.models.layers.conv2d_same'",
    ),
    Reported(
        "walkwithfastai 42, Jupyter of 2021",
        """---------------------------------------------------------------------------
ModuleNotFoundError                       Traceback (most recent call last)
<ipython-input-5-b1ff77ce5fb0> in <module>
----> 1 learn = load_learner('models/predict.pkl')

~/anaconda3/envs/fastjul/lib/python3.8/site-packages/fastai/learner.py in load_learner(fname, cpu, pickle_module)
    383     distrib_barrier()
--> 384     res = torch.load(fname, map_location='cpu' if cpu else None, pickle_module=pickle_module)
    385     if hasattr(res, 'to_fp32'): res = res.to_fp32()

~/anaconda3/envs/fastjul/lib/python3.8/site-packages/torch/serialization.py in load(f, map_location, pickle_module)
    606                     return torch.jit.load(opened_file)
--> 607                 return _load(opened_zipfile, map_location, pickle_module, **pickle_load_args)

ModuleNotFoundError: No module named 'timm.models.layers.se'
""",
        "No module named 'timm.models.layers.se'",
    ),
    Reported(
        "hsemotion 5",
        """hsemotion/facial_emotions.py", line 50, in __init__
    model=torch.load(path, map_location=torch.device('cpu'))
  File "/home/m/.local/lib/python3.10/site-packages/torch/serialization.py", line 1097, in load
    return _load(
  File "/home/m/.local/lib/python3.10/site-packages/torch/serialization.py", line 1525, in _load
    result = unpickler.load()
  File "/home/m/.local/lib/python3.10/site-packages/torch/serialization.py", line 1515, in find_class
    return super().find_class(mod_name, name)
ModuleNotFoundError: No module named 'timm.layers'
""",
        "No module named 'timm.layers'",
    ),
    Reported(
        "OpenStereo 179, translated by hand",
        "ModuleNotFoundError：没有名为 'timm.layers' 的模块",
        "No module named 'timm.layers'",
    ),
    Reported(
        "SSiT 16, a title",
        "ModuleNotFoundError: No module named 'timm.models.layers.mlp'",
        "No module named 'timm.models.layers.mlp'",
    ),
    Reported(
        "deep-text-recognition-benchmark 40, a title",
        "timm==0.4.5 ModuleNotFoundError: No module named 'timm.models.layers.patch_embed'",
        "No module named 'timm.models.layers.patch_embed'",
    ),
    Reported(
        "HybridNets 89, a quote is missing",
        "ModuleNotFoundError: No module named 'timm.models.layers.activations",
        "No module named 'timm.models.layers.activations'",
    ),
    Reported(
        "timm 1548, a title",
        "AttributeError: 'DropPath' object has no attribute 'scale_by_keep'",
        "'DropPath' object has no attribute 'scale_by_keep'",
    ),
    Reported(
        "EfficientNetV2 6, tqdm before it, torch 1.7",
        """    acc@1     acc@5:   0%|                                        | 0/48 [00:00<?, ?it/s]
Traceback (most recent call last):
  File "main.py", line 227, in <module>
    main()
  File "main.py", line 43, in batch
    output = model(images)
  File "/opt/conda/lib/python3.6/site-packages/torch/nn/modules/module.py", line 727, in _call_impl
    result = self.forward(*input, **kwargs)
  File "/opt/conda/lib/python3.6/site-packages/timm/models/layers/drop.py", line 157, in forward
    return drop_path(x, self.drop_prob, self.training, self.scale_by_keep)
  File "/opt/conda/lib/python3.6/site-packages/torch/nn/modules/module.py", line 779, in __getattr__
    type(self).__name__, name))
torch.nn.modules.module.ModuleAttributeError: 'DropPath' object has no attribute 'scale_by_keep'""",
        "'DropPath' object has no attribute 'scale_by_keep'",
    ),
    Reported(
        "timm 1765, a title",
        "'VisionTransformer' object has no attribute 'no_embed_class'",
        "'VisionTransformer' object has no attribute 'no_embed_class'",
    ),
    Reported(
        "timm 2344, in a sentence",
        "When create an Encoder that is VisionTransformer-based and uses and PatchEmbed layer. It "
        "raises the following error during the forward step:\n"
        "'PatchEmbed' object has no attribute 'strict_img_size'",
        "'PatchEmbed' object has no attribute 'strict_img_size'",
    ),
    Reported(
        "timm 1936, in a sentence",
        "I used it as usual, but I get an error. AttributeError: 'PatchEmbed' object has no "
        "attribute 'dynamic_img_pad'\nPlease fix the bug.",
        "'PatchEmbed' object has no attribute 'dynamic_img_pad'",
    ),
    Reported(
        "timm 1791, pasted as Markdown with escapes",
        r"""Traceback (most recent call last):\
File "D:\\mywork\\my_MAE_cifar\\main.py", line 87, in \<module\>
rep, backward_indices = encoder(img0)
File "D:\\Python\\lib\\site-packages\\torch\\nn\\modules\\module.py", line 1110, in \_call_impl
return forward_call(\*input, \*\*kwargs)
File "D:\\Python\\lib\\site-packages\\timm\\models\\vision_transformer.py", line 268, in forward
x = x + self.drop_path1(self.ls1(self.attn(self.norm1(x))))
File "D:\\Python\\lib\\site-packages\\torch\\nn\\modules\\module.py", line 1185, in __getattr__
raise AttributeError("'{}' object has no attribute '{}'".format(
AttributeError: 'Block' object has no attribute 'drop_path1'. Did you mean: 'drop_path'?""",
        "'Block' object has no attribute 'drop_path1'",
    ),
    Reported(
        "MAE 12, in Markdown",
        "I'm getting a lot of errrors like:\n`AttributeError: 'Mlp' object has no attribute 'drop1'`",
        "'Mlp' object has no attribute 'drop1'",
    ),
    Reported(
        "SEViT 1, a title",
        "'VisionTransformer' object has no attribute 'no_embed_class' · Issue #1",
        "'VisionTransformer' object has no attribute 'no_embed_class'",
    ),
    Reported(
        "3DCommonCorruptions 4, a title",
        "torch.nn.modules.module.ModuleAttributeError: 'VisionTransformer' object has no attribute "
        "'dist_token'",
        "'VisionTransformer' object has no attribute 'dist_token'",
    ),
    Reported(
        "EmotiEffLib 23, two lines",
        """raise AttributeError("'{}' object has no attribute '{}'".format(
AttributeError: 'EfficientNet' object has no attribute 'act1'
""",
        "'EfficientNet' object has no attribute 'act1'",
    ),
    # Look-alikes.
    Reported(
        "IGEV 79, code that reads an attribute of a fresh model",
        r"""  File "E:\IGEV-main\IGEV-Stereo\core\extractor.py", line 342, in __init__
    self.act1 = model.act1
  File "D:\anaconda3\envs\raftstereo\lib\site-packages\torch\nn\modules\module.py", line 1186, in __getattr__
    type(self).__name__, name))
AttributeError: 'EfficientNetFeatures' object has no attribute 'act1'""",
        None,
    ),
    Reported(
        "projected-gan 90, the same on a class of timm's",
        """  File "/content/projected-gan/pg_modules/projector.py", line 77, in _make_efficientnet
    pretrained.layer0 = nn.Sequential(model.conv_stem, model.bn1, model.act1, *model.blocks[0:2])
  File "/usr/local/lib/python3.7/dist-packages/torch/nn/modules/module.py", line 1131, in __getattr__
    type(self).__name__, name))
AttributeError: 'EfficientNet' object has no attribute 'act1'""",
        None,
    ),
    Reported(
        "segmentation_models.pytorch 618, a subclass in another library",
        """/tmp/ipykernel_33/3205381621.py in __iter__(self)
     21                     for model in self.models:
---> 22                         p = model(x)

/opt/conda/lib/python3.7/site-packages/torch/nn/modules/module.py in _call_impl(self, *input, **kwargs)
-> 1110             return forward_call(*input, **kwargs)

/kaggle/input/smp/segmentation_models.pytorch-0.2.1/segmentation_models_pytorch/encoders/timm_efficientnet.py in get_stages(self)
--> 114             nn.Sequential(self.conv_stem, self.bn1, self.act1),

/opt/conda/lib/python3.7/site-packages/torch/nn/modules/module.py in __getattr__(self, name)
-> 1178             type(self).__name__, name))

AttributeError: 'EfficientNetEncoder' object has no attribute 'act1'""",
        None,
    ),
    Reported(
        "ToMe 1, Colab, a patched class",
        """AttributeError                            Traceback (most recent call last)
[<ipython-input-11-6cb8d2faecdd>](https://localhost:8080/#) in <module>
      1 # Patch Model to ToMe
----> 2 tome.patch.timm(model)

1 frames
[/usr/local/lib/python3.7/dist-packages/torch/nn/modules/module.py](https://localhost:8080/#) in __getattr__(self, name)
   1206                 return modules[name]
   1207         raise AttributeError("'{}' object has no attribute '{}'".format(
-> 1208             type(self).__name__, name))

AttributeError: 'ToMeVisionTransformer' object has no attribute 'dist_token'""",
        None,
    ),
    Reported(
        "EfficientFormer 58, an import",
        """Traceback (most recent call last):
  File "/home/m/repo/external/EfficientFormer/toolbox.py", line 6, in <module>
    from models import *
  File "/home/m/repo/external/EfficientFormer/models/efficientformer.py", line 15, in <module>
    from timm.models.layers.helpers import to_2tuple
ModuleNotFoundError: No module named 'timm.models.layers.helpers'""",
        None,
    ),
    Reported(
        "SiT 5, timm is not there",
        """    from timm.models.vision_transformer import PatchEmbed, Attention, Mlp
ModuleNotFoundError: No module named 'timm'""",
        None,
    ),
    Reported(
        "efficientdet-pytorch 45, an import",
        "ImportError: cannot import name 'get_act_layer' from 'timm.models.layers' "
        "(/opt/conda/lib/python3.7/site-packages/timm/models/layers/__init__.py)",
        None,
    ),
    Reported(
        "pixray 95, code that uses an old name",
        r"""Traceback (most recent call last):
  File "C:\Programming\pixray\SLIP\models.py", line 257, in <module>
    @timm.models.registry.register_model
AttributeError: module 'timm.models' has no attribute 'registry'""",
        None,
    ),
    Reported(
        "ScaleCrafter 28, a class of open_clip with the name of one of timm's",
        """  File "/home/ubuntu/VideoCrafter/lvdm/modules/encoders/condition.py", line 348, in encode
    if self.model.visual.input_patchnorm:
  File "/home/ubuntu/.local/lib/python3.8/site-packages/torch/nn/modules/module.py", line 1614, in __getattr__
    raise AttributeError("'{}' object has no attribute '{}'".format(
AttributeError: 'VisionTransformer' object has no attribute 'input_patchnorm'""",
        None,
    ),
    Reported(
        "deep-text-recognition-benchmark 40, a class of torch's",
        "AttributeError: 'GELU' object has no attribute 'approximate'",
        None,
    ),
    Reported(
        "fastBio 4, a class of torch's at the load",
        """  File "/home/n/envs/myenv/lib/python3.9/site-packages/torch/serialization.py", line 1272, in _legacy_load
    result = unpickler.load()
  File "/home/n/envs/myenv/lib/python3.9/site-packages/torch/nn/modules/rnn.py", line 353, in __setstate__
    for w in self._flat_weights]
  File "/home/n/envs/myenv/lib/python3.9/site-packages/torch/nn/modules/module.py", line 1709, in __getattr__
    raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")
AttributeError: 'LSTM' object has no attribute '_flat_weights'""",
        None,
    ),
    Reported(
        "POSTER_V2 18, a class of the script's own",
        """  File "/home/n/envs/yoga_val/lib/python3.8/site-packages/torch/serialization.py", line 875, in find_class
    return super().find_class(mod_name, name)
AttributeError: Can't get attribute 'RecorderMeter1' on <module '__main__' from 'onnx_conversion.py'>`""",
        None,
    ),
    Reported(
        "labelGo 9, a class of another project",
        "Can't get attribute 'SPPF' on <module 'models.common'",
        None,
    ),
    Reported(
        "pytorch 49260, a model of torchvision's",
        "torch.nn.modules.module.ModuleAttributeError: 'AlexNet' object has no attribute 'features'",
        None,
    ),
    Reported(
        "SAN 19, a call with an argument that is not there",
        "TypeError: PatchEmbed.__init__() got an unexpected keyword argument 'dynamic_img_pad'",
        None,
    ),
    Reported(
        "ComfyUI 7425, another library's model",
        """Weights only load failed. This file can still be loaded, to do so you have two options, do those steps only if you trust the source of the checkpoint.
(1) In PyTorch 2.6, we changed the default value of the `weights_only` argument in `torch.load` from `False` to `True`. Re-running `torch.load` with `weights_only` set to `False` will likely succeed, but it can result in arbitrary code execution. Do it only if you got the file from a trusted source.
(2) Alternatively, to load with `weights_only=True` please check the recommended steps in the following error message.
WeightsUnpickler error: Unsupported global: GLOBAL ultralytics.nn.tasks.DetectionModel was not an allowed global by default. Please use `torch.serialization.add_safe_globals([DetectionModel])` or the `torch.serialization.safe_globals([DetectionModel])` context manager to allowlist this global if you trust this class/function.""",
        None,
    ),
    Reported(
        "timm 1263, a damaged download",
        "_pickle.UnpicklingError: invalid load key, '='.",
        None,
    ),
    Reported(
        "timm 2327, weights of quite another model",
        """RuntimeError: Error(s) in loading state_dict for VisionTransformer:
	Missing key(s) in state_dict: "cls_token", "pos_embed", "patch_embed.proj.weight", "patch_embed.proj.bias", "blocks.0.norm1.weight", "blocks.0.norm1.bias", "blocks.0.attn.qkv.weight", "blocks.0.attn.qkv.bias".
	Unexpected key(s) in state_dict: "vision_model.embeddings.class_embedding", "vision_model.embeddings.position_embedding", "vision_model.encoder.layers.0.ls1".""",
        None,
    ),
    Reported(
        "convit 4, another size of the model",
        """RuntimeError: Error(s) in loading state_dict for VisionTransformer:
        size mismatch for cls_token: copying a param with shape torch.Size([1, 1, 192]) from checkpoint, the shape in current model is torch.Size([1, 1, 768]).
        size mismatch for pos_embed: copying a param with shape torch.Size([1, 196, 192]) from checkpoint, the shape in current model is torch.Size([1, 196, 768]).
        size mismatch for head.weight: copying a param with shape torch.Size([1000, 192]) from checkpoint, the shape in current model is torch.Size([1000, 768]).""",
        None,
    ),
    Reported(
        "a pycls issue, another model",
        """	size mismatch for stem.conv.weight: copying a param of torch.Size([64, 3, 7, 7]) from checkpoint, where the shape is torch.Size([16, 3, 3, 3]) in current model.
	size mismatch for stem.bn.weight: copying a param of torch.Size([64]) from checkpoint, where the shape is torch.Size([16]) in current model.""",
        None,
    ),
    Reported(
        "vit-pytorch 58, another library",
        "Error shows that ViT object has no attribute 'pool'",
        None,
    ),
    Reported(
        "dilateformer 10, a key of a dictionary",
        """Traceback (most recent call last):
  File "main.py", line 279, in main
    pos_embed_checkpoint = checkpoint_model['pos_embed']
KeyError: 'pos_embed'""",
        None,
    ),
    Reported(
        "OmniQuant 39, a class of transformers' with the name of one of timm's",
        "AttributeError: 'Attention' object has no attribute 'W_pack'",
        None,
    ),
]
